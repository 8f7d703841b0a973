package kvmselftest.selftests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import kvmselftest.Requires;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Requirement;
import kvmselftest.kvm.TimedCalls;
import kvmselftest.kvm.TscOffset;
import kvmselftest.kvm.Vcpu;
import kvmselftest.kvm.Vm;
import kvmselftest.probe.Behaviour;
import kvmselftest.x86.CounterWindow;
import kvmselftest.x86.HostTsc;
import kvmselftest.x86.Msr;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestReporter;

/**
 * What a host's KVM_SET_MSRS of IA32_TSC does to the offset. KVM takes a value that lies less than
 * one second from what it expects, which is the last value written and the time since then, for an
 * attempt to synchronise the vCPU with the others, gives it their offset and drops the difference;
 * and so for a value of 0 always (arch/x86/kvm/x86.c, kvm_synchronize_tsc). All other values take
 * effect as they are.
 *
 * <p>The offset that the vCPU comes out with is compared bit for bit in the first case, and in the
 * second with the value minus the host's TSC before and after the call.
 */
@Tag("selftest")
@Requires({Requirement.KVM, Requirement.TSC_OFFSET, Requirement.TSC_CLOCKSOURCE})
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HostTscWriteTest {
  private static final int VCPUS = 4;
  private static final long PAGE_SIZE = 4096;
  private static final TscOffset OFFSET = new TscOffset(40_000_000_000_000L);
  private static final long LATE_TSC = 10_000_000_000_000L;

  /** IA32_TSC_ADJUST of vCPU 1, and so many times that of the others; the host's writes keep it. */
  private static final long ADJUST = 1_000_003;

  /** How often a write is tried that has to reach the kernel at the right moment. */
  private static final int ATTEMPTS = 200;

  /** For how long, s; four times that and a bit are less than a test may take. */
  private static final long PATIENCE = 20;

  private final Kvm kvm = Kvm.open();
  private final TscVcpus vcpus = new TscVcpus(kvm, VCPUS);
  private final long second = vcpus.second();

  /** From a reading of the TSC to the write that it was for, ticks: the last time, so the next. */
  private long delay;

  @BeforeAll
  void setAdjust() {
    vcpus.all().forEach(this::restoreAdjust);
  }

  @AfterAll
  void close() {
    vcpus.close();
    kvm.close();
  }

  /**
   * A write of IA32_TSC that was made.
   *
   * @param call the host's TSC before and after
   * @param reference the offset that vCPU 0 got by the write before
   * @param least the least that the value can have been ahead of what KVM expected, ticks
   * @param most the most
   */
  private record Write(
      Vcpu vcpu, long value, CounterWindow call, CounterWindow reference, long least, long most) {
    /**
     * @param expected what KVM expects at the moment of the write
     * @param elapsed how long ago the last write was at most, ticks
     */
    static Write of(
        Vcpu vcpu,
        TimedCalls.Timed<Long> made,
        CounterWindow reference,
        CounterWindow expected,
        long elapsed) {
      // KVM measures the time since the last write in ns. It may convert it with the frequency from
      // before the kernel refined it, which it does by 1 % at most (arch/x86/kernel/tsc.c); and the
      // ns are rounded down, to some ticks, at either end.
      long inexact = elapsed / 100 + 16;
      return new Write(
          vcpu,
          made.value(),
          made.hostTsc(),
          reference,
          made.value() - expected.to() - inexact,
          made.value() - expected.from() + inexact);
    }

    /** As far off as was meant, to less than the distance from there to one second. */
    boolean isAbout(long delta, long second) {
      long precision = Math.abs(Math.abs(delta) - second);
      return least > delta - precision && most < delta + precision;
    }

    /** The offsets with which the TSC has this value at a moment of the call. */
    CounterWindow own() {
      return exactly(value).minus(call);
    }

    @Override
    public String toString() {
      return "KVM_SET_MSRS of IA32_TSC on %s to %d, %+d to %+d ticks from what KVM expects"
          .formatted(vcpu, value, least, most);
    }
  }

  /** How the value from which KVM expects the next comes to be: by a write on vCPU 0. */
  private interface Reference {
    /** Writes vCPU 0, then IA32_TSC of the vCPU, about that far from what KVM expects then. */
    Write thenWrite(Vcpu vcpu, long delta);
  }

  /** The last write was of the attribute. */
  private Write afterAttribute(Vcpu vcpu, long delta) {
    TimedCalls calls = new TimedCalls();
    TimedCalls.Timed<TscOffset> reference = calls.setTscOffset(vcpus.first(), OFFSET);
    long read = HostTsc.read();
    long value = read + delay + OFFSET.ticks() + delta;
    TimedCalls.Timed<Long> write = calls.setMsr(vcpu, Msr.IA32_TSC, value);
    calls.make();
    delay = write.hostTsc().from() - read;
    // KVM reads the TSC and then the time in either call: with the time between the two added to
    // the first TSC it is not past the end of the second call.
    CounterWindow all = new CounterWindow(reference.hostTsc().from(), write.hostTsc().to());
    return Write.of(vcpu, write, exactly(OFFSET.ticks()), all.plus(OFFSET.ticks()), all.width());
  }

  /** The last write was of IA32_TSC, far from what was expected, so that it took effect. */
  private Write afterMsr(Vcpu vcpu, long delta) {
    vcpus.first().setTscOffset(OFFSET);
    TimedCalls calls = new TimedCalls();
    TimedCalls.Timed<Long> reference = calls.setMsr(vcpus.first(), Msr.IA32_TSC, LATE_TSC);
    TimedCalls.Timed<Long> write = calls.setMsr(vcpu, Msr.IA32_TSC, LATE_TSC + delta);
    calls.make();
    return afterLateTsc(reference.hostTsc(), vcpu, write);
  }

  /** As {@link #afterMsr}, but 20 ms later: KVM expects that much more, and so is the value. */
  private Write afterMsrAndSomeTime(Vcpu vcpu, long delta) {
    return afterMsrAndTime(second / 50, vcpu, delta);
  }

  /**
   * As {@link #afterMsr}, but so much later.
   *
   * @param ticks of the host's TSC
   */
  private Write afterMsrAndTime(long ticks, Vcpu vcpu, long delta) {
    vcpus.first().setTscOffset(OFFSET);
    TimedCalls first = new TimedCalls();
    TimedCalls.Timed<Long> reference = first.setMsr(vcpus.first(), Msr.IA32_TSC, LATE_TSC);
    first.make();
    pass(ticks);
    TimedCalls then = new TimedCalls();
    long read = HostTsc.read();
    long elapsed = read + delay - reference.hostTsc().from();
    TimedCalls.Timed<Long> write = then.setMsr(vcpu, Msr.IA32_TSC, LATE_TSC + elapsed + delta);
    then.make();
    delay = write.hostTsc().from() - read;
    return afterLateTsc(reference.hostTsc(), vcpu, write);
  }

  private static Write afterLateTsc(
      CounterWindow reference, Vcpu vcpu, TimedCalls.Timed<Long> write) {
    CounterWindow call = write.hostTsc();
    CounterWindow elapsed =
        new CounterWindow(call.from() - reference.to(), call.to() - reference.from());
    return Write.of(
        vcpu, write, exactly(LATE_TSC).minus(reference), elapsed.plus(LATE_TSC), elapsed.to());
  }

  /** The last write but one was 20 ms before the attribute's, which KVM is to forget. */
  private Write afterSomeTimeAndAttribute(Vcpu vcpu, long delta) {
    vcpus.first().setMsr(Msr.IA32_TSC, LATE_TSC);
    pass(second / 50);
    return afterAttribute(vcpu, delta);
  }

  private static void pass(long ticks) {
    long begin = HostTsc.read();
    while (HostTsc.read() - begin < ticks) {
      Thread.onSpinWait();
    }
  }

  /** Far from what is expected, about one second from it on either side, and near. */
  private long[] deltas() {
    long tenth = second / 10;
    long near = second / 2000;
    return new long[] {
      -100 * second,
      -11 * tenth,
      -second - near,
      -second + near,
      -9 * tenth,
      -tenth,
      0,
      tenth,
      9 * tenth,
      second - near,
      second + near,
      11 * tenth,
      100 * second
    };
  }

  @Test
  void valueWithinOneSecondOfWhatTheAttributeLeftIsSynchronised(TestReporter reporter) {
    for (Vcpu vcpu : vcpus.all()) {
      assertSynchronisedWithinOneSecond(vcpu, deltas(), this::afterAttribute, reporter);
    }
  }

  @Test
  void valueWithinOneSecondOfWhatAnMsrWriteLeftIsSynchronised(TestReporter reporter) {
    for (Vcpu vcpu : vcpus.all()) {
      assertSynchronisedWithinOneSecond(vcpu, deltas(), this::afterMsr, reporter);
    }
  }

  /**
   * With a margin of 1 ms, where 20 ms have passed: less if those were not counted, or at a rate
   * that is wrong by a tenth.
   */
  private long[] marginsOfSomeTime() {
    long margin = second / 1000;
    return new long[] {-second - margin, -second + margin, second - margin, second + margin};
  }

  @Test
  void valueIsExpectedToGoOnSinceTheLastMsrWrite(TestReporter reporter) {
    Vcpu vcpu = vcpus.all().get(1);
    assertSynchronisedWithinOneSecond(
        vcpu, marginsOfSomeTime(), this::afterMsrAndSomeTime, reporter);
  }

  @Test
  void valueIsExpectedToGoOnSinceTheAttributeWasWrittenAndNotBefore(TestReporter reporter) {
    Vcpu vcpu = vcpus.all().getLast();
    assertSynchronisedWithinOneSecond(
        vcpu, marginsOfSomeTime(), this::afterSomeTimeAndAttribute, reporter);
  }

  /** The nanoseconds since the last write take more than 32 bits. */
  @Test
  @Tag("thorough")
  void valueIsExpectedToGoOnForMoreThanFourSeconds(TestReporter reporter) {
    long tenth = second / 10;
    assertSynchronisedWithinOneSecond(
        vcpus.all().get(2),
        new long[] {-11 * tenth, -9 * tenth, 9 * tenth, 11 * tenth},
        (vcpu, delta) -> afterMsrAndTime(9 * (second / 2), vcpu, delta),
        reporter);
  }

  private void assertSynchronisedWithinOneSecond(
      Vcpu vcpu, long[] deltas, Reference reference, TestReporter reporter) {
    for (long delta : deltas) {
      vcpus.setOffsets(OFFSET);

      Write write = about(delta, reference, vcpu);

      if (Math.abs(delta) > second) {
        assertLanded(write, reporter);
      } else {
        assertSynchronised(write, reporter);
      }
      assertOthersKeepTheirs(vcpu);
    }
  }

  /** Made again until it reached the kernel at the right moment; a busy host may take several. */
  private Write about(long delta, Reference reference, Vcpu vcpu) {
    long begin = HostTsc.read();
    int attempt = 0;
    while (attempt < ATTEMPTS && HostTsc.read() - begin < PATIENCE * second) {
      Write write = reference.thenWrite(vcpu, delta);
      if (write.isAbout(delta, second)) {
        return write;
      }
      attempt++;
    }
    return Assumptions.abort(
        "held up in each of %d attempts to write IA32_TSC %+d ticks from what KVM expects"
            .formatted(attempt, delta));
  }

  /** KVM takes the value as it is. */
  private static void assertLanded(Write write, TestReporter reporter) {
    assertOffset(write, "takes effect", write.own(), reporter);
  }

  /** KVM takes it for an attempt to synchronise: the offset is vCPU 0's, bit for bit. */
  private void assertSynchronised(Write write, TestReporter reporter) {
    assertOffset(write, "is taken for an attempt to synchronise", write.reference, reporter);
    assertEquals(
        vcpus.first().getTscOffset(),
        write.vcpu.getTscOffset(),
        () -> "offset against that of vCPU 0, after " + write);
  }

  private static void assertOffset(
      Write write, String what, CounterWindow expected, TestReporter reporter) {
    long offset = write.vcpu.getTscOffset().ticks();
    String observation =
        "%s, which %s: offset %+d, expected %+d to %+d ticks"
            .formatted(write, what, offset, expected.from(), expected.to());
    reporter.publishEntry(observation);
    assertTrue(expected.contains(offset), observation);
  }

  /** All but vCPU 0, which the reference writes; and none has its IA32_TSC_ADJUST changed. */
  private void assertOthersKeepTheirs(Vcpu written) {
    for (Vcpu vcpu : vcpus.all()) {
      if (vcpu != written && vcpu != vcpus.first()) {
        assertEquals(
            OFFSET,
            vcpu.getTscOffset(),
            () -> "offset of %s after KVM_SET_MSRS on %s".formatted(vcpu, written));
      }
      assertEquals(
          vcpu.index() * ADJUST,
          vcpu.getMsr(Msr.IA32_TSC_ADJUST),
          () -> "IA32_TSC_ADJUST of %s after KVM_SET_MSRS on %s".formatted(vcpu, written));
    }
  }

  /** Up to 7.2 KVM remembers the value that was written, also where it was not taken. */
  @Test
  void eachWriteMovesWhatIsExpectedNext(TestReporter reporter) {
    vcpus.setOffsets(OFFSET);
    Vcpu last = vcpus.all().get(3);
    TimedCalls calls = new TimedCalls();
    var reference = calls.setMsr(vcpus.first(), Msr.IA32_TSC, LATE_TSC);
    calls.setMsr(vcpus.all().get(1), Msr.IA32_TSC, LATE_TSC + 9 * (second / 10));
    calls.setMsr(vcpus.all().get(2), Msr.IA32_TSC, LATE_TSC + 18 * (second / 10));
    var write = calls.setMsr(last, Msr.IA32_TSC, LATE_TSC + 27 * (second / 10));
    calls.make();
    long took = write.hostTsc().to() - reference.hostTsc().from();
    Assumptions.assumeTrue(took < second, "held up for more than a second");

    boolean remembersValue = Behaviour.SYNC_BOOKKEEPING.is("legacy");
    CounterWindow expected =
        remembersValue
            ? exactly(vcpus.first().getTscOffset().ticks())
            : exactly(write.value()).minus(write.hostTsc());
    assertOffset(
        afterLateTsc(reference.hostTsc(), last, write), "was the fourth", expected, reporter);
  }

  @Test
  void valueOfZeroIsNoValue() {
    for (Vcpu vcpu : vcpus.all()) {
      vcpus.setOffsets(OFFSET);

      vcpu.setMsr(Msr.IA32_TSC, 0);
      vcpu.setMsr(Msr.IA32_TSC, 0);

      assertEquals(
          vcpus.all(OFFSET), vcpus.offsets(), () -> "offsets after IA32_TSC := 0 on " + vcpu);
    }
  }

  /** Whatever the vCPU had before. */
  @Test
  void valueOfZeroGivesTheOffsetThatWasLastWritten() {
    for (Vcpu last : vcpus.all()) {
      for (Vcpu vcpu : vcpus.all()) {
        vcpus.setOffsets(OFFSET);
        TscOffset written = new TscOffset(OFFSET.ticks() - 50 * second * (last.index() + 1));
        last.setTscOffset(written);

        vcpu.setMsr(Msr.IA32_TSC, 0);

        assertEquals(
            written,
            vcpu.getTscOffset(),
            () ->
                "offset of %s after IA32_TSC := 0, where that of %s was written last"
                    .formatted(vcpu, last));
      }
    }
  }

  /** What QEMU writes at a reset, since 0 is not a value. */
  @Test
  void valueOfOneTakesEffect(TestReporter reporter) {
    for (Vcpu vcpu : vcpus.all()) {
      vcpus.setOffsets(OFFSET);
      TimedCalls calls = new TimedCalls();
      var reference = calls.setTscOffset(vcpus.first(), OFFSET);
      var write = calls.setMsr(vcpu, Msr.IA32_TSC, 1);
      calls.make();
      CounterWindow all = new CounterWindow(reference.hostTsc().from(), write.hostTsc().to());
      assertLanded(
          Write.of(vcpu, write, exactly(OFFSET.ticks()), all.plus(OFFSET.ticks()), all.width()),
          reporter);
    }
  }

  /** Up to 7.2 KVM remembers the 0 as the last value, and takes the 1 for close to it. */
  @Test
  void valueOfOneAfterZeroIsTakenAsTheBooksAreKept(TestReporter reporter) {
    boolean legacy = Behaviour.SYNC_BOOKKEEPING.is("legacy");
    for (Vcpu vcpu : vcpus.all()) {
      vcpus.setOffsets(OFFSET);
      TimedCalls calls = new TimedCalls();
      var zero = calls.setMsr(vcpu, Msr.IA32_TSC, 0);
      var one = calls.setMsr(vcpu, Msr.IA32_TSC, 1);
      calls.make();
      long took = one.hostTsc().to() - zero.hostTsc().from();
      Assumptions.assumeTrue(took < second, "held up for more than a second");

      CounterWindow expected = legacy ? exactly(OFFSET.ticks()) : exactly(1).minus(one.hostTsc());
      CounterWindow zeroGoneOn = new CounterWindow(0, took);
      assertOffset(
          Write.of(vcpu, one, exactly(OFFSET.ticks()), zeroGoneOn, took),
          "comes after a 0",
          expected,
          reporter);
    }
  }

  /** The guest's part of the offset is lost, its IA32_TSC_ADJUST stays. */
  @Test
  void valueOfZeroDropsWhatTheGuestWrote() {
    for (Vcpu vcpu : vcpus.all()) {
      vcpus.setOffsets(OFFSET);
      for (Msr msr : new Msr[] {Msr.IA32_TSC_ADJUST, Msr.IA32_TSC}) {
        vcpus.guest().writeMsr(vcpu, msr, 123_456_789_012L);
        long adjust = vcpu.getMsr(Msr.IA32_TSC_ADJUST);
        assertTrue(
            !vcpu.getTscOffset().equals(OFFSET),
            () -> "offset of %s did not change by the guest's WRMSR of %s".formatted(vcpu, msr));

        vcpu.setMsr(Msr.IA32_TSC, 0);

        String when = " of %s after the guest's WRMSR of %s and a 0".formatted(vcpu, msr);
        assertEquals(OFFSET, vcpu.getTscOffset(), () -> "offset" + when);
        assertEquals(
            adjust, vcpu.getMsr(Msr.IA32_TSC_ADJUST), () -> "host reads IA32_TSC_ADJUST" + when);
      }
      restoreAdjust(vcpu);
    }
  }

  /**
   * A guest that has set one vCPU ahead or behind by less than a second: restoring what the host
   * read as IA32_TSC takes that away, restoring the offset keeps it.
   */
  @Test
  void deliberateSkewIsErasedByMsrAndKeptByAttribute(TestReporter reporter) {
    for (Vcpu vcpu : vcpus.all()) {
      for (long skew : new long[] {3 * (second / 10), -3 * (second / 10), 1}) {
        vcpus.setOffsets(OFFSET);
        long adjust = vcpu.index() * ADJUST + skew;
        vcpus.guest().writeMsr(vcpu, Msr.IA32_TSC_ADJUST, adjust);
        TscOffset skewed = new TscOffset(OFFSET.ticks() + skew);
        assertEquals(skewed, vcpu.getTscOffset(), () -> "offset of %s when skewed".formatted(vcpu));

        vcpus.setOffsets(OFFSET);
        vcpu.setTscOffset(skewed);
        assertEquals(skewed, vcpu.getTscOffset(), () -> "skewed offset restored on " + vcpu);

        vcpus.first().setTscOffset(OFFSET);
        long begin = HostTsc.read();
        vcpus.first().setTscOffset(OFFSET);
        vcpu.setTscOffset(OFFSET);
        long saved = begin + skewed.ticks();
        vcpu.setMsr(Msr.IA32_TSC, saved);
        long took = HostTsc.read() - begin;
        Assumptions.assumeTrue(took < second / 2, "held up for more than half a second");
        reporter.publishEntry(
            "%s, skewed by %+d ticks: IA32_TSC := %d within %d ticks: %s"
                .formatted(vcpu, skew, saved, took, vcpu.getTscOffset()));
        assertEquals(
            OFFSET, vcpu.getTscOffset(), () -> "offset of %s, skew by IA32_TSC".formatted(vcpu));
        assertEquals(
            adjust,
            vcpu.getMsr(Msr.IA32_TSC_ADJUST),
            () -> "host reads IA32_TSC_ADJUST of " + vcpu);
        restoreAdjust(vcpu);
      }
    }
  }

  private void restoreAdjust(Vcpu vcpu) {
    vcpu.setMsr(Msr.IA32_TSC_ADJUST, vcpu.index() * ADJUST);
  }

  /** What the host wrote counts, by either route; what KVM wrote itself may not. */
  @Test
  void youngVmSynchronisesWithWhatTheHostWrote(TestReporter reporter) {
    try (Vm young = kvm.createVm(PAGE_SIZE)) {
      Vcpu first = young.createVcpu(0);
      Vcpu other = young.createVcpu(1);
      first.setTscOffset(OFFSET);
      long begin = HostTsc.read();
      first.setTscOffset(OFFSET);
      other.setMsr(Msr.IA32_TSC, begin + OFFSET.ticks() + second / 2);
      long took = HostTsc.read() - begin;
      Assumptions.assumeTrue(took < second / 2, "held up for more than half a second");

      reporter.publishEntry("offsets %s, %s".formatted(first.getTscOffset(), other.getTscOffset()));
      assertEquals(
          OFFSET,
          other.getTscOffset(),
          "offset of vCPU 1 of a new VM after IA32_TSC := half a second more than on vCPU 0,"
              + " where the attribute was written");
    }
  }

  private static CounterWindow exactly(long value) {
    return new CounterWindow(value, value);
  }
}
