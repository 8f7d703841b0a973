package kvmselftest.selftests;

import java.util.ArrayList;
import java.util.List;
import kvmselftest.kvm.TimedCalls;
import kvmselftest.kvm.TimedCalls.Timed;
import kvmselftest.sys.Clock;

/**
 * By how much CLOCK_REALTIME, which NTP steers and a user may set, is ahead of CLOCK_MONOTONIC_RAW,
 * which counts the TSC as it is. What changes of it during a move is not KVM's.
 *
 * @param nanos of the one minus that of the other
 * @param error how far that may be off either way, ns
 */
record Steering(long nanos, long error) {
  private static final int READINGS = 8;

  static Steering now() {
    TimedCalls calls = new TimedCalls();
    List<Timed<Long>> raw = new ArrayList<>(List.of(calls.read(Clock.MONOTONIC_RAW)));
    List<Timed<Long>> real = new ArrayList<>();
    for (int i = 0; i < READINGS; i++) {
      real.add(calls.read(Clock.REALTIME));
      raw.add(calls.read(Clock.MONOTONIC_RAW));
    }
    calls.make();
    Steering best = new Steering(0, Long.MAX_VALUE);
    for (int i = 0; i < READINGS; i++) {
      long before = raw.get(i).value();
      long half = (raw.get(i + 1).value() - before) / 2;
      if (half + 1 < best.error) {
        best = new Steering(real.get(i).value() - before - half, half + 1);
      }
    }
    return best;
  }

  /** What has changed since an earlier one. */
  Steering since(Steering earlier) {
    return new Steering(nanos - earlier.nanos, error + earlier.error);
  }
}
