package kvmselftest.selftests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import kvmselftest.Requires;
import kvmselftest.guest.ClockGuest;
import kvmselftest.guest.Guest;
import kvmselftest.kvm.ClockData;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Requirement;
import kvmselftest.kvm.TimedCalls;
import kvmselftest.kvm.TscOffset;
import kvmselftest.kvm.Vcpu;
import kvmselftest.probe.Behaviour;
import kvmselftest.sys.Clock;
import kvmselftest.x86.CounterWindow;
import kvmselftest.x86.ErrorBounds;
import kvmselftest.x86.Msr;
import kvmselftest.x86.PvclockPage;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * When the master clock is on and when it is off, as KVM_GET_CLOCK's flags and the pvclock pages
 * say; and that kvmclock goes on through every change as if there had been none.
 */
@Tag("selftest")
@Requires({
  Requirement.KVM,
  Requirement.TSC_OFFSET,
  Requirement.CLOCK_REALTIME,
  Requirement.TSC_CLOCKSOURCE
})
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class MasterClockTest {
  private static final int VCPUS = 4;

  private static final int SAMPLES = 50;

  /** How often a page is written without the master clock. */
  private static final int UPDATES = 10;

  private static final TscOffset EQUAL = new TscOffset(1_000_000_000_000L);
  private static final TscOffset OTHER = new TscOffset(-1_000_000_000_000L);

  private final Kvm kvm = Kvm.open();
  private KvmclockVm clocks;
  private ClockGuest guest;

  /** What KVM_GET_CLOCK says before a vCPU has run. */
  private boolean early;

  /** What it says while offsets differ. */
  private boolean onThoughUnequal;

  @BeforeAll
  void createVcpus() {
    early = Behaviour.MC_EARLY.is("v6");
    onThoughUnequal = Behaviour.MC_UNEQUAL.is("on");
    clocks = new KvmclockVm(kvm, VCPUS);
    guest = clocks.guest();
  }

  @AfterAll
  void close() {
    clocks.close();
    kvm.close();
  }

  private ClockData getClock() {
    return clocks.vm().getClock();
  }

  @Test
  void setClockEngagesMasterClockBeforeAnyVcpuRuns() {
    try (KvmclockVm fresh = new KvmclockVm(kvm)) {
      KvmclockVm.assertMasterClock(early, "without a vCPU", fresh.vm().getClock());
      for (int i = 0; i < VCPUS; i++) {
        Vcpu created = fresh.createVcpu();
        KvmclockVm.assertMasterClock(
            early, "after KVM_CREATE_VCPU of " + created, fresh.vm().getClock());
      }
      fresh.setOffsets(EQUAL, 0);
      KvmclockVm.assertMasterClock(early, "with equal offsets set", fresh.vm().getClock());

      fresh.setClock(Duration.ofHours(1).toNanos());

      KvmclockVm.assertMasterClock(true, "after KVM_SET_CLOCK", fresh.vm().getClock());
      fresh.vcpus().forEach(fresh.guest()::enableKvmclock);
      fresh.runAll();
      fresh.assertStableBit(true, "after the first run");
      fresh.assertPagesGive(fresh.vm().getClock(), "after the first run");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void firstRunEngagesMasterClock(int vcpuCount) {
    try (KvmclockVm fresh = new KvmclockVm(kvm)) {
      while (fresh.vcpus().size() < vcpuCount) {
        fresh.createVcpu();
      }
      Vcpu last = fresh.vcpu(vcpuCount - 1);

      fresh.guest().run(last);

      KvmclockVm.assertMasterClock(true, "after the first run of " + last, fresh.vm().getClock());
    }
  }

  /** Offsets are equal in all of their 64 bits or not at all. */
  @Test
  void offsetThatDiffersInOneBitDisengagesMasterClock() {
    for (int bit : new int[] {0, 31, 32, 47, 48, 63}) {
      clocks.settleOffsets(EQUAL, 0);
      assertEngaged("with equal offsets");
      Vcpu vcpu = clocks.vcpu(1 + bit % 3);
      vcpu.setTscOffset(new TscOffset(EQUAL.ticks() ^ 1L << bit));
      clocks.runAll();
      clocks.runAll();

      assertDisengaged("with an offset on %s that differs in bit %d".formatted(vcpu, bit));
    }
    clocks.settleOffsets(EQUAL, 0);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3})
  void oneVcpuWithAnotherOffsetDisengagesMasterClockUntilAllAreRewritten(
      int odd, TestReporter reporter) {
    Vcpu vcpu = clocks.vcpu(odd);
    clocks.settleOffsets(EQUAL, 0);
    long since = Clock.MONOTONIC_RAW.nanos();
    clocks.setClock(Duration.ofHours(1).toNanos());
    clocks.runAll();
    assertEngaged("with equal offsets");
    KvmclockVm.Position engaged = clocks.position();

    vcpu.setTscOffset(OTHER);
    clocks.runAll();
    clocks.runAll(); // a page is written at its own vCPU's run, which may have come before

    assertDisengaged("with another offset on " + vcpu);
    KvmclockVm.Position disengaged = clocks.position();

    clocks.setOffsets(EQUAL, odd);
    clocks.runAll();
    clocks.runAll();

    assertEngaged("with equal offsets again");
    KvmclockVm.Position again = clocks.position();
    ErrorBounds off =
        KvmclockVm.assertContinuous("master clock off, by " + vcpu, engaged, disengaged, since);
    ErrorBounds on = KvmclockVm.assertContinuous("master clock on again", disengaged, again, since);
    reporter.publishEntry(
        "%s: kvmclock's jump as the master clock goes off: %s; on again: %s"
            .formatted(vcpu, off, on));
  }

  private void assertEngaged(String when) {
    KvmclockVm.assertMasterClock(true, when, getClock());
    clocks.assertStableBit(true, when);
    clocks.assertPagesGive(getClock(), when);
  }

  private void assertDisengaged(String when) {
    KvmclockVm.assertMasterClock(onThoughUnequal, when, getClock());
    clocks.assertStableBit(false, when);
    if (onThoughUnequal) {
      clocks.assertPagesGive(getClock(), when);
    }
  }

  /** Whoever is written twice counts once. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3})
  void oneVcpuLeftOutKeepsMasterClockOffHoweverOftenTheOthersAreWritten(int leftOut) {
    clocks.settleOffsets(EQUAL, 0);
    for (int i = 1; i < VCPUS; i++) {
      Vcpu written = clocks.vcpu((leftOut + i) % VCPUS);
      written.setTscOffset(OTHER);
      written.setTscOffset(OTHER);
    }
    clocks.runAll();
    clocks.runAll();
    assertDisengaged("with all but vCPU %d written twice".formatted(leftOut));

    clocks.vcpu(leftOut).setTscOffset(OTHER);
    clocks.runAll();
    clocks.runAll();

    assertEngaged("with vCPU %d written at last".formatted(leftOut));
  }

  /** msr.rst calls the old MSR deprecated; Linux keeps such guests off the master clock. */
  @Test
  void onlyTheBootVcpusGuestDisengagesMasterClockByTheOldMsr() {
    clocks.settleOffsets(EQUAL, 0);
    for (Vcpu vcpu : clocks.vcpus()) {
      vcpu.setMsr(Msr.KVM_SYSTEM_TIME, enabledPage(vcpu));
      clocks.runAll();
      assertEngaged("after the host wrote the old MSR of " + vcpu);
    }
    for (Vcpu vcpu : clocks.vcpus().subList(1, VCPUS)) {
      guest.writeMsr(vcpu, Msr.KVM_SYSTEM_TIME, enabledPage(vcpu));
      clocks.runAll();
      assertEngaged("after the guest wrote the old MSR of " + vcpu);
    }
    Vcpu boot = clocks.vcpu(0);

    guest.writeMsr(boot, Msr.KVM_SYSTEM_TIME, enabledPage(boot));
    clocks.runAll();
    KvmclockVm.assertMasterClock(false, "after the guest wrote the old MSR of vCPU 0", getClock());
    clocks.assertStableBit(false, "after the guest wrote the old MSR of vCPU 0");

    guest.writeMsr(boot, Msr.KVM_SYSTEM_TIME_NEW, enabledPage(boot));
    clocks.runAll();
    assertEngaged("after the guest wrote the new MSR of vCPU 0");
  }

  private static long enabledPage(Vcpu vcpu) {
    return Guest.pvclockGpa(vcpu.index()) | 1;
  }

  @Test
  void getClockIsOfTheMomentOfTheCall(TestReporter reporter) {
    clocks.settleOffsets(EQUAL, 0);
    TimedCalls calls = new TimedCalls();
    List<TimedCalls.Timed<Long>> realtime = new ArrayList<>();
    List<TimedCalls.Timed<ClockData>> samples = new ArrayList<>();
    realtime.add(calls.read(Clock.REALTIME));
    for (int i = 0; i < SAMPLES; i++) {
      samples.add(calls.getClock(clocks.vm()));
      realtime.add(calls.read(Clock.REALTIME));
    }

    calls.make();

    ErrorBounds tscError = new ErrorBounds("ticks");
    ErrorBounds realtimeError = new ErrorBounds("ns");
    for (int i = 0; i < SAMPLES; i++) {
      ClockData got = samples.get(i).value();
      CounterWindow hostTsc = samples.get(i).hostTsc();
      CounterWindow wall = new CounterWindow(realtime.get(i).value(), realtime.get(i + 1).value());
      String observation =
          "KVM_GET_CLOCK: %s; host TSC %s, CLOCK_REALTIME %s".formatted(got, hostTsc, wall);
      assertTrue(hostTsc.contains(got.hostTsc()), observation);
      assertTrue(wall.contains(got.realtime()), observation);
      tscError.add(got.hostTsc(), hostTsc);
      realtimeError.add(got.realtime(), wall);
    }
    reporter.publishEntry(Measured.error("host_tsc: " + tscError, "host_tsc", tscError));
    reporter.publishEntry(Measured.error("realtime: " + realtimeError, "realtime", realtimeError));
  }

  /**
   * Without the master clock a page is written from the host's TSC and, read after it, the host's
   * clock: it is never behind kvmclock, and ahead by the time between the two readings. That is a
   * part of what KVM_GET_CLOCK does, which reads that clock as well: the shortest of some is no
   * longer than the shortest KVM_GET_CLOCK.
   */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3})
  void pageWithoutMasterClockGivesKvmclock(int index, TestReporter reporter) {
    Vcpu vcpu = clocks.vcpu(index);
    clocks.setOffsets(EQUAL, 0);
    clocks.vcpu((index + 1) % VCPUS).setTscOffset(OTHER);
    clocks.runAll();
    long smallest = Long.MAX_VALUE;
    long shortest = Long.MAX_VALUE;
    for (int i = 0; i < UPDATES; i++) {
      CounterWindow set = clocks.setClock(Duration.ofDays(1).toNanos());
      CounterWindow run = guest.readTsc(vcpu).hostTsc();
      PvclockPage page = clocks.page(vcpu);
      TimedCalls calls = new TimedCalls();
      List<TimedCalls.Timed<ClockData>> samples = new ArrayList<>();
      for (int j = 0; j < UPDATES; j++) {
        samples.add(calls.getClock(clocks.vm()));
      }
      calls.make();
      ErrorBounds ahead = new ErrorBounds("ns");
      for (TimedCalls.Timed<ClockData> sample : samples) {
        KvmclockVm.assertMasterClock(onThoughUnequal, "with unequal offsets", sample.value());
        CounterWindow around = byPage(page, sample.hostTsc());
        ahead.add(around.from() - sample.value().clock(), around.to() - sample.value().clock());
        shortest = Math.min(shortest, around.width());
      }
      long drift = KvmclockVm.drift(samples.getLast().value().clock() - page.systemTime());
      long gap = page.nanosAt(page.tscTimestamp() + run.width()) - page.systemTime();
      CounterWindow since = new CounterWindow(set.from(), run.to());
      String observation =
          "%s: page %s written within %s of the host's TSC; what it is ahead of KVM_GET_CLOCK: %s"
              .formatted(vcpu, page, since, ahead);
      assertTrue(since.contains(page.tscTimestamp() - EQUAL.ticks()), observation);
      assertTrue(
          ahead.most() >= -drift && ahead.least() <= gap + drift,
          () -> "%s; it may be 0 to %d ns, and drift by %d ns".formatted(observation, gap, drift));
      smallest = Math.min(smallest, ahead.least() - drift);
    }
    long bound = shortest;
    String observation =
        "%s: its page is %d ns or more ahead of kvmclock in the best of %d updates; the shortest"
                .formatted(vcpu, smallest, UPDATES)
            + " KVM_GET_CLOCK took %d ns".formatted(bound);
    reporter.publishEntry(observation);
    assertTrue(smallest <= bound, observation);
    assertEquals(0, clocks.page(vcpu).flags(), () -> vcpu + ": flags of " + clocks.page(vcpu));
  }

  private static CounterWindow byPage(PvclockPage page, CounterWindow hostTsc) {
    return new CounterWindow(
        page.nanosAt(EQUAL.guestTsc(hostTsc.from())), page.nanosAt(EQUAL.guestTsc(hostTsc.to())));
  }

  /** Once more if KVM wrote the page while the guest read it. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3})
  void guestWithoutMasterClockComputesWhatItsPageSays(int index) {
    Vcpu vcpu = clocks.vcpu(index);
    clocks.setOffsets(EQUAL, 0);
    vcpu.setTscOffset(OTHER);
    clocks.runAll();
    clocks.runAll();

    PvclockPage before;
    PvclockPage after;
    ClockGuest.KvmclockReading reading;
    do {
      before = clocks.page(vcpu);
      reading = guest.readKvmclock(vcpu);
      after = clocks.page(vcpu);
    } while (before.version() != after.version());

    String observation = "%s: %s by the page %s".formatted(vcpu, reading, after);
    assertEquals(before, after, () -> "changed without a new version: " + observation);
    assertEquals(after.nanosAt(reading.guestTsc()), reading.nanos(), observation);
    assertEquals(0, reading.flags(), observation);
  }
}
