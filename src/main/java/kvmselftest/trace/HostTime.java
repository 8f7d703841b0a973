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

  /** From now on; takes 10 ms, for a rate that is right to about 1e-5. */
  static HostTime start() {
    long nanos = Clock.MONOTONIC_RAW.nanos();
    long tsc = HostTsc.read();
    long passed;
    do {
      passed = Clock.MONOTONIC_RAW.nanos() - nanos;
    } while (passed < CALIBRATION_NANOS);
    return new HostTime(tsc, (HostTsc.read() - tsc) * 1e6 / passed);
  }

  /** Since time 0, ns. */
  long nanosAt(long tsc) {
    return nanosOf(tsc - origin);
  }

  long nanosOf(long ticks) {
    return Math.round(ticks * 1e6 / khz);
  }
}
