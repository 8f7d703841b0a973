package kvmselftest.selftests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.stream.Stream;
import kvmselftest.Requires;
import kvmselftest.guest.ClockGuest;
import kvmselftest.guest.Guest;
import kvmselftest.kvm.ClockData;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Requirement;
import kvmselftest.kvm.TimedCalls;
import kvmselftest.kvm.TimedCalls.Timed;
import kvmselftest.kvm.TscOffset;
import kvmselftest.kvm.Vcpu;
import kvmselftest.kvm.Vm;
import kvmselftest.probe.Behaviour;
import kvmselftest.x86.CounterWindow;
import kvmselftest.x86.HostTsc;
import kvmselftest.x86.Msr;
import kvmselftest.x86.PvclockPage;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Hyper-V's reference TSC page and HV_X64_MSR_TIME_REF_COUNT, by which Windows tells the time, are
 * kvmclock in units of 100 ns (Hyper-V TLFS, sections 12.3 and 12.7); the page is valid only while
 * the master clock is on, and says so.
 *
 * <p>Upstream's hyperv_clock.c has one vCPU, whose clock nothing disturbs.
 */
@Tag("selftest")
@Requires({
  Requirement.KVM,
  Requirement.TSC_OFFSET,
  Requirement.TSC_CLOCKSOURCE,
  Requirement.HYPERV_CLOCK
})
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HypervTscPageTest {
  private static final int VCPUS = 2;
  private static final long PAGE = ClockGuest.SPARE_PAGE;
  private static final long PAGE_SIZE = 0x1000;
  private static final long ENABLED = 1;
  private static final long HOUR = 3_600_000_000_000L;

  /** Linux, by the convention of the Hyper-V TLFS, section 2.6. */
  static final long GUEST_OS_ID = 0x8100_0000_0000_0000L;

  /** What the page and its neighbours hold before KVM writes. */
  private static final byte UNTOUCHED = 0x5a;

  /**
   * The page's time in ns minus kvmclock, at the same TSC. Both are rounded down, the page after
   * two products and a quotient of which each is rounded by itself: that makes the page up to 2
   * units behind, and less than 1 unit ahead, and kvmclock up to 2 ns behind the exact value.
   */
  private static final CounterWindow ROUNDING = new CounterWindow(-201, 102);

  private final Kvm kvm = Kvm.open();
  private final ClockGuest guest = ClockGuest.load(kvm);
  private final Vm vm = guest.vm();
  private final Vcpu[] vcpus = new Vcpu[VCPUS];

  /** {@code struct ms_hyperv_tsc_page}: 100 ns are (TSC * scale / 2^64) + offset. */
  private record ReferencePage(int sequence, long scale, long offset) {
    static final int SIZE = 24;

    long timeAt(long guestTsc) {
      return Math.unsignedMultiplyHigh(guestTsc, scale) + offset;
    }
  }

  @BeforeAll
  void createVcpus() {
    for (int i = 0; i < VCPUS; i++) {
      vcpus[i] = guest.createVcpu(i);
    }
    for (Vcpu vcpu : vcpus) {
      guest.run(vcpu);
    }
    vcpus[0].setMsr(Msr.HV_X64_MSR_GUEST_OS_ID, GUEST_OS_ID);
  }

  @AfterAll
  void close() {
    guest.close();
    kvm.close();
  }

  /** The page off, one offset for all, kvmclock at one hour, the master clock on. */
  private void begin(TscOffset offset, int sequence) {
    vcpus[0].setMsr(Msr.HV_X64_MSR_REFERENCE_TSC, 0);
    vcpus[0].setMsr(Msr.HV_X64_MSR_TSC_EMULATION_CONTROL, 0);
    MemorySegment around = memory(PAGE - PAGE_SIZE, 3 * PAGE_SIZE);
    around.fill(UNTOUCHED);
    around.set(ValueLayout.JAVA_INT, PAGE_SIZE, sequence);
    for (Vcpu vcpu : vcpus) {
      vcpu.setMsr(Msr.KVM_SYSTEM_TIME_NEW, Guest.pvclockGpa(vcpu.index()) | ENABLED);
      vcpu.setTscOffset(offset);
    }
    runAll();
    vm.setClock(ClockData.ofClock(HOUR));
    runAll();
  }

  private void runAll() {
    for (Vcpu vcpu : vcpus) {
      guest.run(vcpu);
    }
  }

  /** Switches the page on, by one vCPU for all, and lets KVM fill it in. */
  private void enable(Vcpu vcpu) {
    vcpu.setMsr(Msr.HV_X64_MSR_REFERENCE_TSC, PAGE | ENABLED);
    runAll(); // the vCPU that was written updates the master clock
    runAll(); // and the pvclock pages of those that ran before it follow
  }

  private MemorySegment memory(long gpa, long size) {
    return vm.memory().segment().asSlice(gpa, size);
  }

  private ReferencePage page() {
    MemorySegment page = memory(PAGE, ReferencePage.SIZE);
    return new ReferencePage(
        page.get(ValueLayout.JAVA_INT, 0),
        page.get(ValueLayout.JAVA_LONG, 8),
        page.get(ValueLayout.JAVA_LONG, 16));
  }

  static Stream<Arguments> settings() {
    return Stream.of(
        argumentSet("offset +2^40, by vCPU 0, memory is 0", 1L << 40, 0, 0),
        argumentSet("offset -host TSC/2, by vCPU 1, sequence 41", -(HostTsc.read() / 2), 1, 41),
        argumentSet("offset 0, by vCPU 1, sequence 2^32 - 2", 0L, 1, -2),
        argumentSet("offset -1, by vCPU 0, sequence 2^32 - 1", -1L, 0, -1));
  }

  @ParameterizedTest
  @MethodSource("settings")
  void pageAndCounterAreKvmclock(long ticks, int index, int sequence, TestReporter reporter) {
    TscOffset offset = new TscOffset(ticks);
    begin(offset, sequence);

    enable(vcpus[index]);

    assertValid(offset, sequence, "enabled", reporter);
    assertNothingElseIsWritten();
    for (Vcpu vcpu : vcpus) { // both are the VM's
      assertEquals(
          PAGE | ENABLED,
          vcpu.getMsr(Msr.HV_X64_MSR_REFERENCE_TSC),
          () -> "KVM_GET_MSRS of HV_X64_MSR_REFERENCE_TSC on " + vcpu);
      assertEquals(
          GUEST_OS_ID,
          vcpu.getMsr(Msr.HV_X64_MSR_GUEST_OS_ID),
          () -> "KVM_GET_MSRS of HV_X64_MSR_GUEST_OS_ID on " + vcpu);
    }
  }

  /** The page is to be valid, another one than before, and with the counter to give kvmclock. */
  private void assertValid(
      TscOffset offset, int sequenceBefore, String step, TestReporter reporter) {
    ReferencePage page = page();
    ClockData clock = vm.getClock();
    PvclockPage pvclock = guest.pvclockPage(0);
    long now = offset.guestTsc(clock.hostTsc());
    long tomorrow = now + 86_400_000L * vm.getTscKhz();
    long error = page.timeAt(now) * 100 - clock.clock();
    long errorTomorrow = page.timeAt(tomorrow) * 100 - pvclock.nanosAt(tomorrow);
    String observation =
        "%s, offset %s: %s, %s: page minus kvmclock %+d ns, at a TSC one day ahead %+d ns; due -201 to +102 ns"
            .formatted(step, offset, page, clock, error, errorTomorrow);
    reporter.publishEntry(
        Measured.value(observation, "page minus kvmclock", "ns", error, ROUNDING));
    assertTrue(
        clock.has(ClockData.ALL_FLAGS), () -> observation + "; the master clock is to be on");
    assertTrue(
        page.sequence != 0 && page.sequence != -1,
        () -> observation + "; sequence 0 and 2^32 - 1 mean that the page is not valid");
    assertNotEquals(sequenceBefore, page.sequence, () -> observation + "; sequence as before");
    assertTrue(ROUNDING.contains(error), observation);
    assertTrue(ROUNDING.contains(errorTomorrow), observation + "; scale");
    for (Vcpu vcpu : vcpus) {
      assertCounterIsPage(vcpu, page, offset, step);
    }
  }

  /** While the page is valid the counter is computed as the guest computes the page. */
  private void assertCounterIsPage(Vcpu vcpu, ReferencePage page, TscOffset offset, String step) {
    TimedCalls calls = new TimedCalls();
    Timed<Long> counter = calls.getMsr(vcpu, Msr.HV_X64_MSR_TIME_REF_COUNT);
    calls.make();
    CounterWindow tsc = counter.hostTsc().plus(offset.ticks());
    CounterWindow expected = new CounterWindow(page.timeAt(tsc.from()), page.timeAt(tsc.to()));
    assertTrue(
        expected.contains(counter.value()),
        () ->
            "%s, offset %s: HV_X64_MSR_TIME_REF_COUNT on %s is %d, the page meanwhile %s (100 ns)"
                .formatted(step, offset, vcpu, counter.value(), expected));
  }

  /** While the page is not valid the counter is kvmclock. */
  private void assertCounterIsKvmclock(String step) {
    for (Vcpu vcpu : vcpus) {
      TimedCalls calls = new TimedCalls();
      Timed<ClockData> before = calls.getClock(vm);
      Timed<Long> counter = calls.getMsr(vcpu, Msr.HV_X64_MSR_TIME_REF_COUNT);
      Timed<ClockData> after = calls.getClock(vm);
      calls.make();
      CounterWindow expected =
          new CounterWindow(before.value().clock() / 100, after.value().clock() / 100);
      assertTrue(
          expected.contains(counter.value()),
          () ->
              "%s: HV_X64_MSR_TIME_REF_COUNT on %s is %d, KVM_GET_CLOCK / 100 before and after: %s"
                  .formatted(step, vcpu, counter.value(), expected));
    }
  }

  private void assertNothingElseIsWritten() {
    assertUntouched(PAGE - PAGE_SIZE, PAGE_SIZE);
    assertUntouched(PAGE + ReferencePage.SIZE, 2 * PAGE_SIZE - ReferencePage.SIZE);
  }

  private void assertUntouched(long gpa, long size) {
    MemorySegment expected = MemorySegment.ofArray(new byte[(int) size]).fill(UNTOUCHED);
    long at = memory(gpa, size).mismatch(expected);
    assertEquals(-1, at, () -> "KVM wrote at GPA 0x%x".formatted(gpa + at));
  }

  @Test
  void pageFollowsSetClockAtTheNextRunAndTheCounterAtOnce(TestReporter reporter) {
    TscOffset offset = new TscOffset(11_000_000_000L);
    begin(offset, 0);
    enable(vcpus[0]);
    for (long clock : new long[] {50 * HOUR, 2 * HOUR}) {
      ReferencePage before = page();

      vm.setClock(ClockData.ofClock(clock));

      String step = "KVM_SET_CLOCK to %d ns".formatted(clock);
      assertEquals(before, page(), () -> step + ": page before KVM_RUN");
      assertCounterIsKvmclock(step + ", before KVM_RUN");
      runAll();
      assertValid(offset, before.sequence, step + " and KVM_RUN", reporter);
    }
  }

  @Test
  void unequalOffsetsInvalidateThePage(TestReporter reporter) {
    TscOffset offset = new TscOffset(22_000_000_000L);
    begin(offset, 0);
    enable(vcpus[0]);
    ReferencePage valid = page();

    vcpus[1].setTscOffset(new TscOffset(offset.ticks() - 1_000_000));
    assertEquals(valid, page(), "page after an unequal offset, before KVM_RUN");
    runAll();

    assertInvalid("enabled, offsets made unequal, KVM_RUN");
    assertStaysInvalidOrHeals(offset, reporter);
    enable(vcpus[1]);
    assertValid(offset, 0, "broken, offsets made equal, enabled again", reporter);
  }

  @Test
  void pageEnabledWithUnequalOffsetsIsInvalid(TestReporter reporter) {
    TscOffset offset = new TscOffset(33_000_000_000L);
    begin(offset, 7);
    vcpus[1].setTscOffset(new TscOffset(offset.ticks() + 1));

    enable(vcpus[0]);

    assertInvalid("offsets made unequal, enabled, KVM_RUN");
    assertNothingElseIsWritten();
    assertStaysInvalidOrHeals(offset, reporter);
    enable(vcpus[0]);
    assertValid(offset, 0, "enabled too early, offsets made equal, enabled again", reporter);
  }

  private void assertInvalid(String step) {
    assertEquals(0, page().sequence, () -> step + ": sequence, 0 while the page is not valid");
    ClockData clock = vm.getClock();
    assertEquals(
        ClockData.flagNames(KvmclockVm.flagsOfUnequalOffsets()),
        ClockData.flagNames(clock.flags()),
        () -> step + ": " + clock);
    assertCounterIsKvmclock(step);
  }

  private void assertStaysInvalidOrHeals(TscOffset offset, TestReporter reporter) {
    for (Vcpu vcpu : vcpus) {
      vcpu.setTscOffset(offset);
    }
    vm.setClock(ClockData.ofClock(3 * HOUR));
    runAll();
    ReferencePage page = page();
    String observation =
        "broken, offsets made equal, KVM_SET_CLOCK, KVM_RUN: %s; %s is %s"
            .formatted(
                page, Behaviour.HYPERV_BROKEN_PAGE.key(), Behaviour.HYPERV_BROKEN_PAGE.seen());
    reporter.publishEntry(observation);
    assertEquals(Behaviour.HYPERV_BROKEN_PAGE.is("sticky"), page.sequence == 0, observation);
    assertTrue(vm.getClock().has(ClockData.ALL_FLAGS), () -> observation + "; master clock");
  }

  /**
   * After a migration to another rate a guest has its TSC emulated at the old rate until it is
   * ready for new parameters: until then the page keeps those that it has, whichever they are.
   */
  @Test
  void pageKeepsItsParametersWhileTscAccessesAreEmulated(TestReporter reporter) {
    TscOffset offset = new TscOffset(55_000_000_000L);
    begin(offset, 0);
    enable(vcpus[0]);
    ReferencePage before = page();
    vcpus[0].setMsr(Msr.HV_X64_MSR_TSC_EMULATION_CONTROL, 1);

    vm.setClock(ClockData.ofClock(5 * HOUR));
    runAll();
    assertEquals(before, page(), "page after KVM_SET_CLOCK and KVM_RUN, TSC accesses emulated");
    assertCounterIsPage(vcpus[0], before, offset, "TSC accesses emulated");

    enable(vcpus[1]);
    assertEquals(before, page(), "page that was valid when enabled by the host, TSC emulated");
    assertCounterIsPage(vcpus[1], before, offset, "TSC accesses emulated, enabled again");

    vcpus[1].setMsr(Msr.HV_X64_MSR_TSC_EMULATION_CONTROL, 0);
    vm.setClock(ClockData.ofClock(6 * HOUR));
    runAll();
    assertValid(offset, before.sequence, "TSC accesses no longer emulated", reporter);
  }

  @Test
  void disabledPageIsLeftAlone() {
    TscOffset offset = new TscOffset(44_000_000_000L);
    begin(offset, 0);
    enable(vcpus[0]);
    ReferencePage before = page();

    vcpus[1].setMsr(Msr.HV_X64_MSR_REFERENCE_TSC, PAGE);
    assertCounterIsKvmclock("disabled");
    vm.setClock(ClockData.ofClock(4 * HOUR));
    runAll();

    assertEquals(before, page(), "page after it was disabled, KVM_SET_CLOCK and KVM_RUN");
    assertEquals(
        PAGE,
        vcpus[0].getMsr(Msr.HV_X64_MSR_REFERENCE_TSC),
        "KVM_GET_MSRS of HV_X64_MSR_REFERENCE_TSC once disabled");
    assertCounterIsKvmclock("disabled, KVM_SET_CLOCK and KVM_RUN");
  }
}
