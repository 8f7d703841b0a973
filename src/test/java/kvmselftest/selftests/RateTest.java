package kvmselftest.selftests;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import kvmselftest.Requires;
import kvmselftest.guest.ClockGuest;
import kvmselftest.guest.RunningClocks;
import kvmselftest.guest.VcpuThread;
import kvmselftest.kvm.ClockData;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Requirement;
import kvmselftest.kvm.TimedCalls;
import kvmselftest.kvm.TimedCalls.Timed;
import kvmselftest.kvm.TscOffset;
import kvmselftest.kvm.Vcpu;
import kvmselftest.sys.Clock;
import kvmselftest.x86.ErrorBounds;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;

/**
 * The rates of a guest's clocks over seconds: a clock that is right at one moment may still run at
 * a wrong rate.
 */
@Tag("selftest")
@Tag("thorough")
@Requires({
  Requirement.KVM,
  Requirement.TSC_OFFSET,
  Requirement.CLOCK_REALTIME,
  Requirement.TSC_CLOCKSOURCE
})
class RateTest {
  private static final Duration INTERVAL = Duration.ofSeconds(5);

  private static final long ENOUGH = 20_000;

  private static final double PPM = 1e6;

  /**
   * Up to 6.x KVM may go on with the TSC's rate from before the kernel refined it, which it does by
   * 1 % at most (arch/x86/kernel/tsc.c).
   */
  private static final double REFINEMENT = 10_000;

  /** An unscaled guest's TSC is the host's plus a constant: at the end as at the beginning. */
  @Test
  @Requires(Requirement.PARALLEL_CPUS)
  void guestTscRunsAtHostsRate(TestReporter reporter) throws InterruptedException {
    try (Kvm kvm = Kvm.open();
        ClockGuest guest = ClockGuest.load(kvm);
        VcpuThread vcpu = VcpuThread.start(guest, 0)) {
      RunningClocks clocks = new RunningClocks(guest, ENOUGH);
      long offset = -77_000_000_000L;
      vcpu.run(owned -> owned.setTscOffset(new TscOffset(offset)));
      ErrorBounds begin = clocks.tscAgainstHost(vcpu, offset);
      Thread.sleep(INTERVAL);
      ErrorBounds end = clocks.tscAgainstHost(vcpu, offset);

      double ticks = INTERVAL.toMillis() * (double) vcpu.call(Vcpu::getTscKhz);
      double least = (end.least() - begin.most()) / ticks * PPM;
      double most = (end.most() - begin.least()) / ticks * PPM;
      String observation =
          "guest TSC against host TSC over %s: off by %.4f to %.4f ppm (%s, then %s)"
              .formatted(INTERVAL, least, most, begin, end);
      reporter.publishEntry(
          Measured.between(observation, "guest TSC's rate", "ppm", least, most, 0, 0));
      assertTrue(begin.allowNone() && end.allowNone(), observation);
    }
  }

  /** kvmclock against the host's TSC, at the rate that KVM_GET_TSC_KHZ gives. */
  @Test
  void kvmclockRunsAtTscsRate(TestReporter reporter) throws InterruptedException {
    try (Kvm kvm = Kvm.open();
        ClockGuest guest = ClockGuest.load(kvm)) {
      Vcpu vcpu = guest.createVcpu(0);
      guest.enableKvmclock(vcpu);
      ClockData begin = guest.vm().getClock();
      Thread.sleep(INTERVAL);
      ClockData end = guest.vm().getClock();

      double expected = (end.hostTsc() - begin.hostTsc()) * PPM / vcpu.getTscKhz();
      double ppm = ((end.clock() - begin.clock()) / expected - 1) * PPM;
      String observation =
          "kvmclock against host TSC at %d kHz over %s: %+.4f ppm"
              .formatted(vcpu.getTscKhz(), INTERVAL, ppm);
      reporter.publishEntry(
          Measured.between(
              observation, "kvmclock's rate", "ppm", ppm, ppm, -REFINEMENT, REFINEMENT));
      assertTrue(Math.abs(ppm) <= REFINEMENT, observation);
    }
  }

  /** kvmclock against CLOCK_MONOTONIC_RAW, which counts the TSC too. */
  @Test
  void kvmclockRunsWithMonotonicRaw(TestReporter reporter) throws InterruptedException {
    try (Kvm kvm = Kvm.open();
        ClockGuest guest = ClockGuest.load(kvm)) {
      guest.enableKvmclock(guest.createVcpu(0));
      Reading begin = Reading.take(guest);
      Thread.sleep(INTERVAL);
      Reading end = Reading.take(guest);

      double passed = end.clock.value().clock() - begin.clock.value().clock();
      double least = end.before.value() - begin.after.value();
      double most = end.after.value() - begin.before.value();
      double mostPpm = (passed / least - 1) * PPM;
      double leastPpm = (passed / most - 1) * PPM;
      String observation =
          "kvmclock against CLOCK_MONOTONIC_RAW over %s: off by %.3f to %.3f ppm"
              .formatted(INTERVAL, leastPpm, mostPpm);
      reporter.publishEntry(
          Measured.between(
              observation, "kvmclock's rate", "ppm", leastPpm, mostPpm, -REFINEMENT, REFINEMENT));
      assertTrue(leastPpm <= REFINEMENT && mostPpm >= -REFINEMENT, observation);
    }
  }

  private record Reading(Timed<Long> before, Timed<ClockData> clock, Timed<Long> after) {
    static Reading take(ClockGuest guest) {
      TimedCalls calls = new TimedCalls();
      Reading reading =
          new Reading(
              calls.read(Clock.MONOTONIC_RAW),
              calls.getClock(guest.vm()),
              calls.read(Clock.MONOTONIC_RAW));
      calls.make();
      return reading;
    }
  }
}
