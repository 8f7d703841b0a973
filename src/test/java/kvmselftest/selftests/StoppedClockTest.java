package kvmselftest.selftests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import kvmselftest.Requires;
import kvmselftest.guest.ClockGuest;
import kvmselftest.guest.ClockGuest.TscReading;
import kvmselftest.kvm.ClockData;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Requirement;
import kvmselftest.kvm.TimedCalls;
import kvmselftest.kvm.TimedCalls.Timed;
import kvmselftest.kvm.TscOffset;
import kvmselftest.kvm.Vcpu;
import kvmselftest.kvm.Vm;
import kvmselftest.sys.Clock;
import kvmselftest.x86.CounterWindow;
import kvmselftest.x86.PvclockPage;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestReporter;

/**
 * A VMM stops a guest, remembers KVM_GET_CLOCK, and continues it with KVM_SET_CLOCK: kvmclock
 * stands still meanwhile or goes on with the wall clock, as the VMM wants; the TSC goes on.
 *
 * <p>Upstream's kvm_clock_test.c looks at kvmclock only, between two readings of KVM's own.
 */
@Tag("selftest")
@Requires({
  Requirement.KVM,
  Requirement.TSC_OFFSET,
  Requirement.CLOCK_REALTIME,
  Requirement.TSC_CLOCKSOURCE
})
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class StoppedClockTest {
  private static final int VCPUS = 3;
  private static final TscOffset OFFSET = new TscOffset(-5_000_000_000_017L);
  private static final long STOPPED_MILLIS = 20;

  /** Twice, since the second time is not the first. */
  private static final int TIMES = 2;

  private final Kvm kvm = Kvm.open();
  private final ClockGuest guest = ClockGuest.load(kvm);
  private final Vm vm = guest.vm();
  private final Vcpu[] vcpus = new Vcpu[VCPUS];

  @BeforeAll
  void engageMasterClock() {
    for (int i = 0; i < VCPUS; i++) {
      vcpus[i] = guest.createVcpu(i);
    }
    for (Vcpu vcpu : vcpus) {
      vcpu.setTscOffset(OFFSET);
    }
    for (Vcpu vcpu : vcpus) {
      guest.enableKvmclock(vcpu);
    }
    vm.setClock(ClockData.ofClock(3_600_000_000_000L));
    runAll();
  }

  private void runAll() {
    for (Vcpu vcpu : vcpus) {
      guest.run(vcpu);
    }
  }

  @AfterAll
  void close() {
    guest.close();
    kvm.close();
  }

  private ClockData stop() throws InterruptedException {
    ClockData stopped = vm.getClock();
    assertTrue(
        stopped.has(ClockData.ALL_FLAGS), () -> "KVM_GET_CLOCK is to have all flags: " + stopped);
    Thread.sleep(STOPPED_MILLIS);
    return stopped;
  }

  @Test
  void withoutRealtimeKvmclockStandsStillWhileTheTscGoesOn(TestReporter reporter)
      throws InterruptedException {
    for (int i = 0; i < TIMES; i++) {
      ClockData stopped = stop();

      TimedCalls calls = new TimedCalls();
      Timed<ClockData> set = calls.setClock(vm, stopped.withFlags(0));
      calls.make();
      runAll();

      CounterWindow clock = new CounterWindow(stopped.clock(), stopped.clock());
      assertContinued(stopped, clock, set.hostTsc(), "without KVM_CLOCK_REALTIME", reporter);
    }
  }

  /** With the flags of KVM_GET_CLOCK as they are, as a VMM passes them back. */
  @Test
  void withRealtimeKvmclockAdvancesByTheRealtimeThatPassed(TestReporter reporter)
      throws InterruptedException {
    for (int i = 0; i < TIMES; i++) {
      ClockData stopped = stop();

      TimedCalls calls = new TimedCalls();
      Timed<Long> before = calls.read(Clock.REALTIME);
      Timed<ClockData> set = calls.setClock(vm, stopped);
      Timed<Long> after = calls.read(Clock.REALTIME);
      calls.make();
      runAll();

      long base = stopped.clock() - stopped.realtime();
      CounterWindow clock = new CounterWindow(base + before.value(), base + after.value());
      assertContinued(stopped, clock, set.hostTsc(), "with KVM_CLOCK_REALTIME", reporter);
    }
  }

  /**
   * The pages say since when kvmclock counts: since KVM_SET_CLOCK.
   *
   * @param clock what kvmclock was at that moment, ns
   * @param hostTsc the host's TSC at that moment
   */
  private void assertContinued(
      ClockData stopped,
      CounterWindow clock,
      CounterWindow hostTsc,
      String how,
      TestReporter reporter) {
    CounterWindow guestTsc = hostTsc.plus(OFFSET.ticks());
    PvclockPage first = guest.pvclockPage(0);
    for (Vcpu vcpu : vcpus) {
      PvclockPage page = guest.pvclockPage(vcpu);
      String observation =
          "%s: KVM_GET_CLOCK %s, %d ms later KVM_SET_CLOCK %s, KVM_RUN: %s; system_time %+d ns,"
              .formatted(
                  vcpu, stopped, STOPPED_MILLIS, how, page, page.systemTime() - stopped.clock());
      reporter.publishEntry(observation + " expected " + clock);
      assertTrue(clock.contains(page.systemTime()), () -> observation + " expected in " + clock);
      assertTrue(
          guestTsc.contains(page.tscTimestamp()),
          () -> observation + " tsc_timestamp expected in that of the call, " + guestTsc);
      assertEquals(first.systemTime(), page.systemTime(), () -> observation + " as vCPU 0's");
      assertEquals(first.tscTimestamp(), page.tscTimestamp(), () -> observation + " as vCPU 0's");
      ClockData now = vm.getClock();
      assertEquals(
          now.clock(),
          page.nanosAt(OFFSET.guestTsc(now.hostTsc())),
          () ->
              "%s page's kvmclock at the host TSC of KVM_GET_CLOCK, %s"
                  .formatted(observation, now));
      assertEquals(OFFSET, vcpu.getTscOffset(), () -> observation + " TSC offset");
      TscReading tsc = guest.readTsc(vcpu);
      CounterWindow expected = tsc.hostTsc().plus(OFFSET.ticks());
      assertTrue(
          expected.contains(tsc.guestTsc()),
          () -> "%s RDTSC %d, expected %s".formatted(observation, tsc.guestTsc(), expected));
    }
  }
}
