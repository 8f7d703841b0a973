package kvmselftest.trace;

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

  /** Both clocks at one moment, or nearly. */
  private record Pair(long tsc, long nanos) {
    static Pair read() {
      return new Pair(HostTsc.read(), Clock.MONOTONIC_RAW.nanos());
    }
  }

  /** From now on; takes 10 ms, for a rate that is right to about 1e-5. */
  static HostTime start() {
    var _ = Pair.read(); // also links both calls, which takes longer than all that follows
    Pair first = Pair.read();
    Pair last;
    do {
      last = Pair.read();
    } while (last.nanos - first.nanos < CALIBRATION_NANOS);
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
