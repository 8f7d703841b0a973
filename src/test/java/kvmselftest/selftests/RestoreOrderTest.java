package kvmselftest.selftests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import kvmselftest.Requires;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Requirement;
import kvmselftest.kvm.TimedCalls;
import kvmselftest.kvm.TscOffset;
import kvmselftest.kvm.Vcpu;
import kvmselftest.probe.Behaviour;
import kvmselftest.x86.CounterWindow;
import kvmselftest.x86.HostTsc;
import kvmselftest.x86.Msr;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The order in which a VMM restores the TSCs of several vCPUs, and what has to be written for KVM
 * to take them for synchronised (arch/x86/kvm/x86.c, __kvm_synchronize_tsc): the offsets come out
 * equal or not, and the master clock is engaged or not.
 */
@Tag("selftest")
@Requires({Requirement.KVM, Requirement.TSC_OFFSET, Requirement.TSC_CLOCKSOURCE})
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RestoreOrderTest {
  private static final int MOST_VCPUS = 4;

  /** A guest's TSC after an hour or so: far more than the second within which KVM guesses. */
  private static final long LATE_TSC = 10_000_000_000_000L;

  private final Kvm kvm = Kvm.open();

  /** With 2, 3 and 4 vCPUs; made when first used. */
  private final List<TscVcpus> vms = new ArrayList<>();

  @AfterAll
  void close() {
    vms.forEach(TscVcpus::close);
    kvm.close();
  }

  private TscVcpus withVcpus(int count) {
    for (TscVcpus vm : vms) {
      if (vm.all().size() == count) {
        return vm;
      }
    }
    TscVcpus made = new TscVcpus(kvm, count);
    vms.add(made);
    return made;
  }

  /**
   * Create, write, create, write: up to 7.2 each vCPU ends up with an offset of its own, later by
   * what its creation took, until all offsets are written again.
   */
  @Test
  void vcpusRestoredAsTheyAreCreatedNeedTheirOffsetsWrittenAgain(TestReporter reporter) {
    boolean fixed = Behaviour.SYNC_BOOKKEEPING.is("fixed");
    try (TscVcpus vcpus = new TscVcpus(kvm)) {
      for (int i = 0; i < MOST_VCPUS; i++) {
        Vcpu vcpu = vcpus.add();
        assertCreatedLikeThePrevious(vcpus);
        CounterWindow own = restore(List.of(vcpu), LATE_TSC);
        TscOffset first = vcpus.first().getTscOffset();
        CounterWindow expected = fixed && i > 0 ? exactly(first) : own;
        assertOffset(vcpu, expected, "created and written by itself", reporter);
        if (fixed || i == 0) {
          vcpus.assertMasterClockAfterRun("restoring each as it was created");
        } else {
          vcpus.assertNoMasterClockAfterRun("restoring each as it was created");
        }
      }

      TscOffset first = vcpus.first().getTscOffset();
      vcpus.setOffsets(first);

      assertEquals(vcpus.all(first), vcpus.offsets(), "offsets after vCPU 0's was written to all");
      vcpus.assertMasterClockAfterRun("vCPU 0's offset was written to all");
    }
  }

  /** A new vCPU starts with the offset that was last written. */
  private static void assertCreatedLikeThePrevious(TscVcpus vcpus) {
    Vcpu created = vcpus.all().getLast();
    Vcpu previous = vcpus.all().get(Math.max(created.index() - 1, 0));
    assertEquals(
        previous.getTscOffset(),
        created.getTscOffset(),
        () -> "offset of %s when just created, against that of %s".formatted(created, previous));
  }

  /** Create all, then write all: twice, as when a snapshot is loaded into a VM that has run. */
  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4})
  void vcpusRestoredAfterAllAreCreatedAreSynchronised(int count, TestReporter reporter) {
    TscVcpus vcpus = withVcpus(count);
    vcpus.setOffsets(new TscOffset(5 * LATE_TSC)); // far from what is written, whatever the host's
    for (long tsc : new long[] {LATE_TSC, 3 * LATE_TSC, 2 * LATE_TSC}) {
      CounterWindow expected = restore(vcpus.all(), tsc);

      assertOffset(vcpus.first(), expected, "the first to be written", reporter);
      assertEquals(
          vcpus.all(vcpus.first().getTscOffset()),
          vcpus.offsets(),
          () -> "offsets after KVM_SET_MSRS of IA32_TSC to %d on each".formatted(tsc));
      vcpus.assertMasterClockAfterRun("KVM_SET_MSRS of IA32_TSC to %d on each".formatted(tsc));
    }
  }

  /** In a VM younger than a second, in either order. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void smallTscIsSynchronisedInEitherOrder(boolean oneByOne, TestReporter reporter) {
    try (TscVcpus vcpus = new TscVcpus(kvm)) {
      long before = HostTsc.read();
      long half = vcpus.add().getTscKhz() * 500L;
      if (oneByOne) {
        restore(List.of(vcpus.first()), half);
        restore(List.of(vcpus.add()), half);
        restore(List.of(vcpus.add()), half);
      } else {
        vcpus.add();
        vcpus.add();
        restore(vcpus.all(), half);
      }
      long took = HostTsc.read() - before;
      Assumptions.assumeTrue(took < 2 * half, "held up for more than a second");

      List<TscOffset> offsets = vcpus.offsets();
      reporter.publishEntry("offsets %s, %d ticks for all of it".formatted(offsets, took));
      assertEquals(
          vcpus.all(offsets.getFirst()),
          offsets,
          "offsets after KVM_SET_MSRS of IA32_TSC to half a second on each");
      vcpus.assertMasterClockAfterRun("KVM_SET_MSRS of IA32_TSC to half a second on each");
    }
  }

  /**
   * All others get the offset that one vCPU has. KVM knows them for equal only if that one had been
   * written last, or is written too.
   */
  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4})
  void equalOffsetsEngageMasterClockOnceAllButTheLastWrittenAreWritten(int count) {
    TscVcpus vcpus = withVcpus(count);
    for (Vcpu leftOut : vcpus.all()) {
      comeApart(vcpus, leftOut);
      writeAllBut(leftOut, vcpus, leftOut.getTscOffset());
      assertAllHave(leftOut.getTscOffset(), vcpus);
      vcpus.assertMasterClockAfterRun("all but the one written last were written");

      Vcpu last = vcpus.all().get((leftOut.index() + 1) % count);
      comeApart(vcpus, last);
      writeAllBut(leftOut, vcpus, leftOut.getTscOffset());
      assertAllHave(leftOut.getTscOffset(), vcpus);
      vcpus.assertNoMasterClockAfterRun("all but one were written, and it was not written last");

      leftOut.setTscOffset(leftOut.getTscOffset());
      assertAllHave(leftOut.getTscOffset(), vcpus);
      vcpus.assertMasterClockAfterRun("that one was written too");
    }
  }

  private static void assertAllHave(TscOffset offset, TscVcpus vcpus) {
    assertEquals(vcpus.all(offset), vcpus.offsets(), "offsets");
  }

  /** All differ, KVM knows it, and that vCPU is the last that was written. */
  private static void comeApart(TscVcpus vcpus, Vcpu last) {
    for (int i = 1; i <= vcpus.all().size(); i++) {
      Vcpu vcpu = vcpus.all().get((last.index() + i) % vcpus.all().size());
      vcpu.setTscOffset(new TscOffset(-5_000_000_000L * (vcpu.index() + 1)));
    }
    vcpus.assertNoMasterClockAfterRun("offsets that differ were written");
  }

  private static void writeAllBut(Vcpu leftOut, TscVcpus vcpus, TscOffset offset) {
    for (Vcpu vcpu : vcpus.all()) {
      if (vcpu != leftOut) {
        vcpu.setTscOffset(offset);
      }
    }
  }

  /** However often the others are written: one that is left out is missing. */
  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4})
  void vcpuWrittenTwiceDoesNotCountForOneLeftOut(int count) {
    TscVcpus vcpus = withVcpus(count);
    for (Vcpu leftOut : vcpus.all()) {
      comeApart(vcpus, vcpus.all().get((leftOut.index() + 1) % count));
      TscOffset offset = leftOut.getTscOffset();
      for (Vcpu vcpu : vcpus.all()) {
        for (int time = 1; vcpu != leftOut && time <= count; time++) {
          vcpu.setTscOffset(offset);
          vcpus.assertNoMasterClockAfterSetClock(
              "%s was written %d times, %s not yet".formatted(vcpu, time, leftOut));
        }
      }
      vcpus.assertNoMasterClockAfterRun("all but %s were written".formatted(leftOut));
    }
  }

  /** Once all are synchronised, writing one again changes nothing. */
  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4})
  void vcpuWrittenTwiceDoesNotCountTwice(int count) {
    TscVcpus vcpus = withVcpus(count);
    TscOffset offset = new TscOffset(-3_000_000_000L - count);
    vcpus.equalise(offset);
    for (Vcpu vcpu : vcpus.all()) {
      vcpu.setTscOffset(offset);
      vcpu.setTscOffset(offset);
      vcpus.assertMasterClockAfterRun("%s was written again".formatted(vcpu));
      vcpus.assertMasterClockAfterSetClock("%s was written again".formatted(vcpu));
    }
  }

  /** A vCPU that was set apart and back again: only writing all the others repairs it. */
  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4})
  void vcpuThatStrayedAndCameBackNeedsTheOthersWrittenAgain(int count) {
    TscVcpus vcpus = withVcpus(count);
    TscOffset offset = new TscOffset(-7_000_000_000L);
    vcpus.equalise(offset);
    vcpus.assertMasterClockAfterRun("equal offsets were written to all");
    for (Vcpu stray : vcpus.all()) {
      stray.setTscOffset(new TscOffset(offset.ticks() + 1));
      vcpus.assertNoMasterClockAfterRun("%s was set apart by one tick".formatted(stray));
      stray.setTscOffset(offset);

      assertEquals(vcpus.all(offset), vcpus.offsets(), "offsets once it came back");
      vcpus.assertNoMasterClockAfterRun("%s came back".formatted(stray));
      writeAllBut(stray, vcpus, offset);
      vcpus.assertMasterClockAfterRun("all but %s were written again".formatted(stray));
    }
  }

  /**
   * KVM_SET_MSRS of IA32_TSC on each, in a row.
   *
   * @return the offsets that make the first vCPU's TSC this value at a moment of its call
   */
  private static CounterWindow restore(List<Vcpu> vcpus, long tsc) {
    TimedCalls calls = new TimedCalls();
    List<TimedCalls.Timed<Long>> writes =
        vcpus.stream().map(vcpu -> calls.setMsr(vcpu, Msr.IA32_TSC, tsc)).toList();
    calls.make();
    CounterWindow first = writes.getFirst().hostTsc();
    long took = writes.getLast().hostTsc().to() - first.from();
    Assumptions.assumeTrue(
        took < vcpus.getFirst().getTscKhz() * 1000L, "held up for more than a second");
    return new CounterWindow(tsc, tsc).minus(first);
  }

  private static CounterWindow exactly(TscOffset offset) {
    return new CounterWindow(offset.ticks(), offset.ticks());
  }

  private static void assertOffset(
      Vcpu vcpu, CounterWindow expected, String what, TestReporter reporter) {
    TscOffset offset = vcpu.getTscOffset();
    String observation =
        "%s, %s: offset %s, expected %+d to %+d ticks"
            .formatted(vcpu, what, offset, expected.from(), expected.to());
    reporter.publishEntry(observation);
    assertTrue(expected.contains(offset.ticks()), observation);
  }
}
