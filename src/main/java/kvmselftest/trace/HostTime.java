package kvmselftest.trace;

import java.util.Comparator;
import java.util.stream.Stream;
import kvmselftest.sys.Clock;
import kvmselftest.x86.HostTsc;

/**
 * The host's TSC in nanoseconds.
 *
 * @param origin its value at time 0, ticks
 * @param khz its rate
 */
record HostTime(long origin, double khz) {
  private static final long CALIBRATION_NANOS = 10_000_000;

  private static final int TRIES = 100;

  /**
   * Both clocks at one moment, or nearly.
   *
   * @param width ticks from just before the moment to just after
   */
  private record Pair(long tsc, long nanos, long width) {
    static Pair read() {
      long before = HostTsc.read();
      long nanos = Clock.MONOTONIC_RAW.nanos();
      return new Pair(before, nanos, HostTsc.read() - before);
    }

    /**
     * The narrowest of many: a thread that is held up between two clocks pairs what does not match.
     */
    static Pair narrowest() {
      return Stream.generate(Pair::read)
          .limit(TRIES)
          .min(Comparator.comparingLong(Pair::width))
          .orElseThrow();
    }
  }

  /** From now on; takes 10 ms, for a rate that is right to about 1e-5. */
  static HostTime start() {
    Pair first = Pair.narrowest();
    while (Pair.read().nanos - first.nanos < CALIBRATION_NANOS) {
      Thread.onSpinWait();
    }
    Pair last = Pair.narrowest();
    return new HostTime(first.tsc, (last.tsc - first.tsc) * 1e6 / (last.nanos - first.nanos));
  }

  /** Since time 0, ns. */
  long nanosAt(long tsc) {
    return nanosOf(tsc - origin);
  }

  long nanosOf(long ticks) {
    return Math.round(ticks * 1e6 / khz);
  }
}
