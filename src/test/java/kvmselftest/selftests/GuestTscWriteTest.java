package kvmselftest.selftests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import kvmselftest.Requires;
import kvmselftest.guest.ClockGuest;
import kvmselftest.kvm.CpuidFeature;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Requirement;
import kvmselftest.kvm.TimedCalls;
import kvmselftest.kvm.TscOffset;
import kvmselftest.kvm.Vcpu;
import kvmselftest.x86.CounterWindow;
import kvmselftest.x86.Msr;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestReporter;

/**
 * What a guest's WRMSR of IA32_TSC and IA32_TSC_ADJUST, and a host's of the latter, do to the
 * offset that the host reads, on each of several vCPUs. A guest's write moves offset and
 * IA32_TSC_ADJUST by the same amount, to the tick (Intel SDM volume 3, section 19.17.3).
 */
@Tag("selftest")
@Requires({Requirement.KVM, Requirement.TSC_OFFSET, Requirement.TSC_CLOCKSOURCE})
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class GuestTscWriteTest {
  private static final int VCPUS = 4;

  /** Both signs, small, more than 32 bits, more than 63. */
  private static final long[] VALUES = {
    1,
    -1,
    4_000_000_000L,
    180_000_000_000L,
    -180_000_000_000L,
    0x1234_5678_9abc_def0L,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    0xfedc_ba98_7654_3210L,
    0
  };

  private final Kvm kvm = Kvm.open();
  private final TscVcpus vcpus = new TscVcpus(kvm, VCPUS);
  private final ClockGuest guest = vcpus.guest();

  @AfterAll
  void close() {
    vcpus.close();
    kvm.close();
  }

  /** A vCPU's offset and its IA32_TSC_ADJUST, as the host reads them. */
  private record State(TscOffset offset, long adjust) {
    static State of(Vcpu vcpu) {
      return new State(vcpu.getTscOffset(), vcpu.getMsr(Msr.IA32_TSC_ADJUST));
    }

    /** A guest's write by which both grow by this much. */
    State plus(long ticks) {
      return new State(new TscOffset(offset.ticks() + ticks), adjust + ticks);
    }
  }

  /** Each has an offset and an IA32_TSC_ADJUST of its own. */
  private void setApart() {
    for (Vcpu vcpu : vcpus.all()) {
      vcpu.setTscOffset(new TscOffset(-20_000_000_000L * (vcpu.index() + 1)));
      vcpu.setMsr(Msr.IA32_TSC_ADJUST, 7_000_000_001L * (vcpu.index() + 1));
    }
  }

  private State[] states() {
    State[] states = new State[VCPUS];
    for (int i = 0; i < VCPUS; i++) {
      states[i] = State.of(vcpus.all().get(i));
    }
    return states;
  }

  private void assertStates(State[] expected, String after) {
    for (Vcpu vcpu : vcpus.all()) {
      assertEquals(
          expected[vcpu.index()],
          State.of(vcpu),
          () -> "offset and IA32_TSC_ADJUST of %s after %s".formatted(vcpu, after));
    }
  }

  @Test
  void guestsWriteOfTscAdjustMovesOffsetByTheDifference(TestReporter reporter) {
    setApart();
    State[] expected = states();
    for (Vcpu vcpu : vcpus.all()) {
      for (long value : VALUES) {
        State before = expected[vcpu.index()];
        expected[vcpu.index()] = before.plus(value - before.adjust);
        String write = "the guest's WRMSR of IA32_TSC_ADJUST to %d on %s".formatted(value, vcpu);

        guest.writeMsr(vcpu, Msr.IA32_TSC_ADJUST, value);
        assertStates(expected, write);
        guest.writeMsr(vcpu, Msr.IA32_TSC_ADJUST, value);
        assertStates(expected, "repeating " + write);
      }
      assertGuestReads(vcpu, expected[vcpu.index()], reporter);
    }
  }

  /** 0 among them, which is a value when the guest writes it. */
  @Test
  void guestsWriteOfTscIsItsTscFromThenOn(TestReporter reporter) {
    setApart();
    State[] expected = states();
    for (Vcpu vcpu : vcpus.all()) {
      for (long value : VALUES) {
        State before = expected[vcpu.index()];

        CounterWindow guestTsc = guest.writeMsr(vcpu, Msr.IA32_TSC, value);

        TscOffset offset = vcpu.getTscOffset();
        CounterWindow hostTsc =
            new CounterWindow(
                guestTsc.from() - before.offset.ticks(), guestTsc.to() - offset.ticks());
        CounterWindow written = new CounterWindow(value, value).minus(hostTsc);
        String observation =
            "%s: offset %s after the guest's WRMSR of IA32_TSC to %d, expected %+d to %+d ticks"
                .formatted(vcpu, offset, value, written.from(), written.to());
        reporter.publishEntry(observation);
        assertTrue(written.contains(offset.ticks()), observation);
        expected[vcpu.index()] = before.plus(offset.ticks() - before.offset.ticks());
        assertStates(expected, "the guest's WRMSR of IA32_TSC to %d on %s".formatted(value, vcpu));
      }
      assertGuestReads(vcpu, expected[vcpu.index()], reporter);
    }
  }

  @Test
  void hostsWriteOfTscAdjustMovesNothingElse(TestReporter reporter) {
    setApart();
    State[] expected = states();
    for (Vcpu vcpu : vcpus.all()) {
      for (long value : VALUES) {
        expected[vcpu.index()] = new State(expected[vcpu.index()].offset, value);

        vcpu.setMsr(Msr.IA32_TSC_ADJUST, value);

        assertStates(
            expected, "the host's write of IA32_TSC_ADJUST to %d on %s".formatted(value, vcpu));
      }
      assertGuestReads(vcpu, expected[vcpu.index()], reporter);
    }
  }

  /** So that a VMM which restores MSRs before CPUID loses it. */
  @Test
  void adjustThatCpuidHidesIsWrittenByNobody(TestReporter reporter) {
    try (ClockGuest without = ClockGuest.load(kvm)) {
      Vcpu vcpu = without.createVcpu(0);
      vcpu.hide(CpuidFeature.TSC_ADJUST);
      State expected = new State(new TscOffset(-20_000_000_000L), 0);
      vcpu.setTscOffset(expected.offset);

      boolean accepted = vcpu.trySetMsr(Msr.IA32_TSC_ADJUST.index(), 7_000_000_001L);
      reporter.publishEntry("KVM_SET_MSRS of hidden IA32_TSC_ADJUST is accepted: " + accepted);
      assertEquals(expected, State.of(vcpu), "after KVM_SET_MSRS of IA32_TSC_ADJUST");
      without.writeMsr(vcpu, Msr.IA32_TSC_ADJUST, 7_000_000_001L);
      assertEquals(expected, State.of(vcpu), "after WRMSR of IA32_TSC_ADJUST");
    }
  }

  /** Neither route of the host's to set the TSC touches what the guest has written. */
  @Test
  void hostsWriteOfTscKeepsTscAdjust() {
    setApart();
    for (Vcpu vcpu : vcpus.all()) {
      long adjust = 3_000_000_000_000L * (vcpu.index() + 1);
      guest.writeMsr(vcpu, Msr.IA32_TSC_ADJUST, adjust);
      State[] expected = states();

      for (long value : VALUES) {
        vcpu.setTscOffset(new TscOffset(value));
        expected[vcpu.index()] = new State(new TscOffset(value), adjust);
        assertStates(
            expected, "KVM_SET_DEVICE_ATTR of the offset to %d on %s".formatted(value, vcpu));
        TimedCalls calls = new TimedCalls();
        TimedCalls.Timed<Long> write = calls.setMsr(vcpu, Msr.IA32_TSC, value);
        calls.make();
        assertWritten(vcpu, value, write.hostTsc());
        expected[vcpu.index()] = new State(vcpu.getTscOffset(), adjust);
        assertStates(expected, "KVM_SET_MSRS of IA32_TSC to %d on %s".formatted(value, vcpu));
      }
    }
  }

  /** The value is far from what KVM expects; but a 0 is to be synchronised, always. */
  private static void assertWritten(Vcpu vcpu, long value, CounterWindow call) {
    CounterWindow offsets = new CounterWindow(value, value).minus(call);
    assertTrue(
        value == 0 || offsets.contains(vcpu.getTscOffset().ticks()),
        () ->
            "%s: offset %s after KVM_SET_MSRS of IA32_TSC to %d, expected %+d to %+d ticks"
                .formatted(vcpu, vcpu.getTscOffset(), value, offsets.from(), offsets.to()));
  }

  /** The guest by RDTSC and by RDMSR, the latter being KVM's to answer. */
  private void assertGuestReads(Vcpu vcpu, State state, TestReporter reporter) {
    ClockGuest.TscReading tsc = guest.readTsc(vcpu);
    assertIn(
        tsc.hostTsc().plus(state.offset.ticks()),
        tsc.guestTsc(),
        vcpu + ": guest's RDTSC, by host TSC and offset",
        reporter);
    ClockGuest.MsrReading read = guest.readMsr(vcpu, Msr.IA32_TSC);
    assertIn(
        read.guestTsc(),
        read.value(),
        vcpu + ": guest's RDMSR of IA32_TSC, between two RDTSC",
        reporter);
    assertEquals(
        state.adjust,
        guest.readMsr(vcpu, Msr.IA32_TSC_ADJUST).value(),
        () -> vcpu + ": guest's RDMSR of IA32_TSC_ADJUST");
  }

  private static void assertIn(
      CounterWindow expected, long read, String what, TestReporter reporter) {
    String observation =
        "%s: %s, expected %s".formatted(what, Long.toUnsignedString(read), expected);
    reporter.publishEntry(observation);
    assertTrue(expected.contains(read), observation);
  }

  /**
   * KVM does not follow what a guest does to its TSCs: the master clock stays, also when the host
   * writes the offset again that it had written to all.
   */
  @Test
  void guestsWritesKeepTheMasterClock() {
    TscOffset equal = new TscOffset(-1_000_000_000L);
    vcpus.equalise(equal);
    vcpus.assertMasterClockAfterRun("equal offsets were written to all");
    for (Vcpu vcpu : vcpus.all()) {
      guest.writeMsr(vcpu, Msr.IA32_TSC_ADJUST, 5_000_000_000L);
      vcpus.assertMasterClockAfterRun("the guest's WRMSR of IA32_TSC_ADJUST on " + vcpu);
      guest.writeMsr(vcpu, Msr.IA32_TSC, 5_000_000_000L);
      vcpus.assertMasterClockAfterRun("the guest's WRMSR of IA32_TSC on " + vcpu);
      vcpu.setTscOffset(equal);
      vcpus.assertMasterClockAfterRun("KVM_SET_DEVICE_ATTR of the others' offset on " + vcpu);
    }
  }
}
