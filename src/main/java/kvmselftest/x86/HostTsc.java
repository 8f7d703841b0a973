package kvmselftest.x86;

import java.lang.invoke.MethodHandle;
import java.time.Duration;
import java.util.stream.DoubleStream;
import kvmselftest.sys.Clock;
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

  /**
   * About how many ticks a time has on this machine: for bounds, such as on how long code that has
   * nothing but the TSC goes on. Hosts' rates are far apart: 2 GHz and more of a CPU, 50 MHz of one
   * that Bochs emulates.
   */
  public static long ticksIn(Duration time) {
    return (long) (time.toNanos() * Rate.TICKS_PER_NANO);
  }

  /** Measured when it is first asked for, which takes some milliseconds. */
  private static final class Rate {
    private static final long NANOS = Duration.ofMillis(1).toNanos();
    private static final int MEASUREMENTS = 5;

    /** The median: whoever is held up between two readings measures nonsense. */
    static final double TICKS_PER_NANO =
        DoubleStream.generate(Rate::measure)
            .limit(MEASUREMENTS)
            .sorted()
            .skip(MEASUREMENTS / 2)
            .findFirst()
            .orElseThrow();

    private static double measure() {
      long begin = Clock.MONOTONIC_RAW.nanos();
      long first = read();
      long nanos;
      do {
        nanos = Clock.MONOTONIC_RAW.nanos() - begin;
      } while (nanos < NANOS);
      return (double) (read() - first) / nanos;
    }
  }
}
