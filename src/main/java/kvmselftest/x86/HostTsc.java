package kvmselftest.x86;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandle;
import kvmselftest.sys.MachineCode;

/**
 * The time stamp counter of the host, that is of the machine whose kernel runs KVM. Read by the
 * blob host_tsc, ordered as upstream's {@code rdtsc()} is: no earlier instruction executes after it
 * and no later one before it.
 */
public final class HostTsc {
  private static final MethodHandle READ = new MachineCode(blob()).asLongFunction();

  private HostTsc() {}

  private static byte[] blob() {
    String name = "/guest-blobs/host_tsc.bin";
    try (InputStream in = HostTsc.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException(name + " is not on the class path");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The counter of the CPU this thread runs on, ticks, unsigned. */
  public static long read() {
    try {
      return (long) READ.invokeExact();
    } catch (Throwable t) {
      throw new AssertionError("reading the TSC does not throw", t);
    }
  }
}
