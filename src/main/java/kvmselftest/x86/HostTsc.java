package kvmselftest.x86;

import java.lang.invoke.MethodHandle;
import kvmselftest.sys.MachineCode;

/**
 * The time stamp counter of the host, that is of the machine whose kernel runs KVM. Read by the
 * blob host_tsc, ordered as upstream's {@code rdtsc()} is: no earlier instruction executes after it
 * and no later one before it.
 */
public final class HostTsc {
  private static final MethodHandle READ = MachineCode.named("host_tsc").asLongFunction();

  private HostTsc() {}

  /** The counter of the CPU this thread runs on, ticks, unsigned. */
  public static long read() {
    try {
      return (long) READ.invokeExact();
    } catch (Throwable t) {
      throw new AssertionError("reading the TSC does not throw", t);
    }
  }
}
