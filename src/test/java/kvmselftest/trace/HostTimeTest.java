package kvmselftest.trace;

import static org.junit.jupiter.api.Assertions.assertTrue;

import kvmselftest.sys.Clock;
import kvmselftest.x86.HostTsc;
import org.junit.jupiter.api.Test;

class HostTimeTest {
  /** Ten times as long as the calibration, on a machine that may be busy. */
  @Test
  void runsAtTheRateOfTheRawClock() {
    HostTime time = HostTime.start();
    long before = Clock.MONOTONIC_RAW.nanos();
    long nanos = time.nanosAt(HostTsc.read());
    while (Clock.MONOTONIC_RAW.nanos() - before < 100_000_000) {
      Thread.onSpinWait();
    }
    long passed = time.nanosAt(HostTsc.read()) - nanos;
    long rawPassed = Clock.MONOTONIC_RAW.nanos() - before;

    assertTrue(
        Math.abs(passed - rawPassed) < rawPassed / 10,
        () -> "%d ns by the TSC in %d ns".formatted(passed, rawPassed));
  }
}
