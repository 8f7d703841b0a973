package kvmselftest.migration;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import kvmselftest.kvm.ClockData;
import kvmselftest.kvm.TimedCalls;
import kvmselftest.kvm.TimedCalls.Timed;
import kvmselftest.kvm.Vm;
import kvmselftest.sys.Clock;
import kvmselftest.x86.CounterWindow;

/**
 * What a VM's kvmclock, its host's TSC and its host's CLOCK_REALTIME showed at the same moment.
 *
 * @param moment kvmclock and the host's TSC
 * @param realtime CLOCK_REALTIME, ns since 1970
 * @param origin who put the three together
 * @param tscError the host's TSC is off by at most so many ticks either way; 0 if KVM did it
 * @param realtimeError CLOCK_REALTIME is off by at most so many ns either way; 0 if KVM did it
 */
public record ClockReading(
    Moment moment, long realtime, Origin origin, long tscError, long realtimeError) {
  /** Who read the three clocks at one moment. */
  public enum Origin {
    /** KVM_GET_CLOCK gave all three: the master clock is on. */
    KVM,
    /**
     * KVM_GET_CLOCK gave kvmclock alone, as it does when the vCPUs' offsets differ or the host's
     * clocksource is not the TSC: the others were read before and after it.
     */
    USER_SPACE
  }

  /** How many readings the narrowest is chosen from. */
  private static final int BRACKETS = 16;

  /**
   * @throws IllegalArgumentException if an error is negative, or there is one in what KVM read
   */
  public ClockReading {
    boolean exact = tscError == 0 && realtimeError == 0;
    if (tscError < 0 || realtimeError < 0 || (origin == Origin.KVM && !exact)) {
      throw new IllegalArgumentException(
          "errors of %d ticks and %d ns in a reading by %s"
              .formatted(tscError, realtimeError, origin));
    }
  }

  /** KVM_GET_CLOCK, and what it leaves out. Any thread. */
  public static ClockReading of(Vm vm) {
    ClockData got = vm.getClock();
    return got.has(ClockData.REALTIME | ClockData.HOST_TSC)
        ? new ClockReading(new Moment(got.hostTsc(), got.clock()), got.realtime(), Origin.KVM, 0, 0)
        : bracketed(vm);
  }

  /** kvmclock between two readings of CLOCK_REALTIME, and the host's TSC around each. */
  private static ClockReading bracketed(Vm vm) {
    TimedCalls calls = new TimedCalls();
    List<Timed<Long>> realtimes = new ArrayList<>(List.of(calls.read(Clock.REALTIME)));
    List<Timed<ClockData>> clocks = new ArrayList<>();
    for (int i = 0; i < BRACKETS; i++) {
      clocks.add(calls.getClock(vm));
      realtimes.add(calls.read(Clock.REALTIME));
    }
    calls.make();
    return IntStream.range(0, BRACKETS)
        .mapToObj(i -> between(realtimes.get(i), clocks.get(i), realtimes.get(i + 1)))
        .min(Comparator.comparingLong(ClockReading::tscError))
        .orElseThrow();
  }

  private static ClockReading between(
      Timed<Long> before, Timed<ClockData> clock, Timed<Long> after) {
    CounterWindow tsc = clock.hostTsc();
    CounterWindow realtime = new CounterWindow(before.value(), after.value());
    return new ClockReading(
        new Moment(middle(tsc), clock.value().clock()),
        middle(realtime),
        Origin.USER_SPACE,
        halfOf(tsc),
        halfOf(realtime));
  }

  private static long middle(CounterWindow window) {
    return window.from() + window.width() / 2;
  }

  /** From the middle to either end; the middle is rounded down. */
  private static long halfOf(CounterWindow window) {
    return (window.width() + 1) / 2;
  }

  @Override
  public String toString() {
    String exact =
        "kvmclock %s ns at host TSC %s and realtime %s ns"
            .formatted(
                Long.toUnsignedString(moment.kvmclock()),
                Long.toUnsignedString(moment.hostTsc()),
                Long.toUnsignedString(realtime));
    return origin == Origin.KVM
        ? exact
        : "%s, from user space: +-%d ticks, +-%d ns".formatted(exact, tscError, realtimeError);
  }
}
