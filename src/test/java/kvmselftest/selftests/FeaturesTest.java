package kvmselftest.selftests;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import kvmselftest.Requires;
import kvmselftest.kvm.Capability;
import kvmselftest.kvm.ClockData;
import kvmselftest.kvm.CpuidLeaf;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Requirement;
import kvmselftest.kvm.TimedCalls;
import kvmselftest.kvm.TscOffset;
import kvmselftest.kvm.Vcpu;
import kvmselftest.kvm.Vm;
import kvmselftest.sys.Clock;
import kvmselftest.sys.Errno;
import kvmselftest.x86.CounterWindow;
import kvmselftest.x86.HostTsc;
import kvmselftest.x86.Msr;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestReporter;

/**
 * What a VMM relies on when it saves and restores a guest's time: what KVM says it can do, which
 * MSRs it lists, which of CPUID's bits it lets a guest see, and that a new VM's clocks are at 0.
 *
 * <p>Upstream takes all of this for granted.
 */
@Tag("selftest")
@Requires(Requirement.KVM)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class FeaturesTest {
  private static final long PAGE_SIZE = 4096;
  private static final int VCPUS = 4;

  /** Leaves and bits of Documentation/virt/kvm/x86/cpuid.rst. */
  private static final int KVM_SIGNATURE = 0x4000_0000;

  private static final int KVM_FEATURES = 0x4000_0001;
  private static final int CLOCKSOURCE = 1;
  private static final int CLOCKSOURCE2 = 1 << 3;
  private static final int CLOCKSOURCE_STABLE_BIT = 1 << 24;

  /** SDM volume 2, CPUID. */
  private static final int TSC_ADJUST = 1 << 1; // leaf 7, EBX

  private static final int TSC_AND_MSR = 1 << 4 | 1 << 5; // leaf 1, EDX

  private static final List<Msr> TIME_MSRS =
      List.of(
          Msr.IA32_TSC,
          Msr.IA32_TSC_ADJUST,
          Msr.IA32_TSC_DEADLINE,
          Msr.KVM_WALL_CLOCK,
          Msr.KVM_SYSTEM_TIME,
          Msr.KVM_WALL_CLOCK_NEW,
          Msr.KVM_SYSTEM_TIME_NEW);

  private final Kvm kvm = Kvm.open();
  private final List<Vcpu> vcpus = new ArrayList<>();
  private long rawBefore;
  private Vm vm;
  private long rawAfter;
  private CounterWindow firstCreated;

  @BeforeAll
  void create() {
    rawBefore = Clock.MONOTONIC_RAW.nanos();
    vm = kvm.createVm(PAGE_SIZE);
    rawAfter = Clock.MONOTONIC_RAW.nanos();
    long before = HostTsc.read();
    vcpus.add(vm.createVcpu(0));
    firstCreated = new CounterWindow(before, HostTsc.read());
    for (int i = 1; i < VCPUS; i++) {
      vcpus.add(vm.createVcpu(i));
    }
  }

  @AfterAll
  void close() {
    vm.close();
    kvm.close();
  }

  @Test
  void capabilitiesAreThere(TestReporter reporter) {
    assertCapability(1, Capability.KVM_CAP_GET_TSC_KHZ, reporter);
    assertCapability(1, Capability.KVM_CAP_TSC_DEADLINE_TIMER, reporter);
    assertCapability(1, Capability.KVM_CAP_KVMCLOCK_CTRL, reporter);
    assertCapability(1, Capability.KVM_CAP_IMMEDIATE_EXIT, reporter);
  }

  @Test
  @Requires(Requirement.VM_TSC_KHZ)
  void capabilitiesOfNewerKernelsAreThere(TestReporter reporter) {
    assertCapability(1, Capability.KVM_CAP_VCPU_ATTRIBUTES, reporter);
    assertCapability(1, Capability.KVM_CAP_ENFORCE_PV_FEATURE_CPUID, reporter);
    assertCapability(ClockData.ALL_FLAGS, Capability.KVM_CAP_ADJUST_CLOCK, reporter);
    assertCapability(
        kvm.checkExtension(Capability.KVM_CAP_TSC_CONTROL),
        Capability.KVM_CAP_VM_TSC_CONTROL,
        reporter);
  }

  private void assertCapability(int expected, Capability capability, TestReporter reporter) {
    int answer = kvm.checkExtension(capability);
    reporter.publishEntry("%s: 0x%x".formatted(capability, answer));
    assertEquals(expected, answer, () -> "KVM_CHECK_EXTENSION of " + capability);
    assertEquals(
        expected,
        vm.checkExtension(capability),
        () -> "KVM_CHECK_EXTENSION of " + capability + " on the VM");
  }

  @Test
  void msrIndexListHasEveryMsrOfTimeOnce(TestReporter reporter) {
    List<Integer> listed = kvm.msrIndexList();

    reporter.publishEntry("KVM_GET_MSR_INDEX_LIST: %d MSRs".formatted(listed.size()));
    for (Msr msr : TIME_MSRS) {
      assertTrue(
          listed.contains(msr.index()),
          () -> "KVM_GET_MSR_INDEX_LIST lacks %s (0x%x)".formatted(msr, msr.index()));
    }
    assertEquals(
        listed.size(), new HashSet<>(listed).size(), () -> "an MSR is listed twice: " + listed);
  }

  @Test
  void msrIndexListThatDoesNotFitIsRefused() {
    int all = kvm.msrIndexList().size();

    Refusal.assertRefused(
        Errno.E2BIG, kvm.tryMsrIndexList(all - 1), "KVM_GET_MSR_INDEX_LIST with room for one less");
    Refusal.assertAccepted(
        kvm.tryMsrIndexList(all), "KVM_GET_MSR_INDEX_LIST with room for just all");
  }

  @Test
  void everyMsrOfTimeIsReadAndRestored(TestReporter reporter) {
    for (Vcpu vcpu : vcpus) {
      for (Msr msr : TIME_MSRS) {
        List<Long> read = vcpu.getMsrs(msr.index());
        assertEquals(1, read.size(), () -> "KVM_GET_MSRS of %s on %s".formatted(msr, vcpu));
        // What a VMM restores: the write of 0 to IA32_TSC asks KVM to synchronize, and changes
        // none.
        long restored = msr == Msr.IA32_TSC ? 0 : read.getFirst();
        assertTrue(
            vcpu.trySetMsr(msr.index(), restored),
            () -> "KVM_SET_MSRS of %s to %d on %s".formatted(msr, restored, vcpu));
      }
    }
    reporter.publishEntry("%d MSRs on %d vCPUs".formatted(TIME_MSRS.size(), vcpus.size()));
  }

  @Test
  void cpuidOffersKvmclockAndTscAdjust(TestReporter reporter) {
    CpuidLeaf signature = kvm.supportedCpuid(KVM_SIGNATURE, 0);
    CpuidLeaf kvmFeatures = kvm.supportedCpuid(KVM_FEATURES, 0);
    CpuidLeaf features = kvm.supportedCpuid(1, 0);
    CpuidLeaf extended = kvm.supportedCpuid(7, 0);

    reporter.publishEntry("0x40000001: %s; 7: %s".formatted(kvmFeatures, extended));
    assertAll(
        () -> assertEquals("KVMK VMKV M", text(signature), "leaf 0x40000000: " + signature),
        () ->
            assertTrue(
                Integer.compareUnsigned(signature.eax(), KVM_FEATURES) >= 0,
                "leaf 0x40000000, EAX, the last leaf of KVM's: " + signature),
        () ->
            assertBits(
                CLOCKSOURCE | CLOCKSOURCE2 | CLOCKSOURCE_STABLE_BIT,
                kvmFeatures.eax(),
                "leaf 0x40000001, EAX: kvmclock, its newer MSRs, its stable bit"),
        () -> assertBits(TSC_AND_MSR, features.edx(), "leaf 1, EDX: TSC and MSR"),
        () -> assertBits(TSC_ADJUST, extended.ebx(), "leaf 7, EBX: TSC_ADJUST"));
  }

  private static void assertBits(int expected, int observed, String where) {
    assertEquals(
        expected, observed & expected, () -> "bits of %s: 0x%08x".formatted(where, observed));
  }

  private static String text(CpuidLeaf leaf) {
    return (letters(leaf.ebx()) + " " + letters(leaf.ecx()) + " " + letters(leaf.edx())).strip();
  }

  private static String letters(int register) {
    StringBuilder letters = new StringBuilder();
    for (int rest = register; rest != 0; rest >>>= Byte.SIZE) {
      letters.append((char) (rest & 0xff));
    }
    return letters.toString();
  }

  /**
   * kvmclock of a VM that has not run is CLOCK_MONOTONIC_RAW since the VM was made; where it is
   * made of the TSC instead, at most 1 % off (KvmClockTest says why).
   */
  @Test
  void clockOfNewVmBeginsAt0AndGoesOn(TestReporter reporter) {
    TimedCalls calls = new TimedCalls();
    TimedCalls.Timed<Long> begin = calls.read(Clock.MONOTONIC_RAW);
    TimedCalls.Timed<ClockData> first = calls.getClock(vm);
    TimedCalls.Timed<Long> between = calls.read(Clock.MONOTONIC_RAW);
    TimedCalls.Timed<ClockData> second = calls.getClock(vm);
    TimedCalls.Timed<Long> end = calls.read(Clock.MONOTONIC_RAW);
    calls.make();

    CounterWindow age = passed(begin.value() - rawAfter, between.value() - rawBefore);
    long advance = second.value().clock() - first.value().clock();
    CounterWindow mayAdvance = passed(0, end.value() - begin.value());
    String observation =
        "KVM_GET_CLOCK %d ns, the VM's age is in %s ns; the next one %+d ns, expected in %s ns"
            .formatted(first.value().clock(), age, advance, mayAdvance);
    reporter.publishEntry(observation);
    assertTrue(age.contains(first.value().clock()), observation);
    assertTrue(mayAdvance.contains(advance), observation);
  }

  private static CounterWindow passed(long least, long most) {
    return new CounterWindow(Math.max(0, least - least / 100 - 2), most + most / 100 + 2);
  }

  @Test
  @Requires({Requirement.TSC_OFFSET, Requirement.TSC_STABLE})
  void tscOfNewVcpuBeginsAt0AndAllAreEqual(TestReporter reporter) {
    TscOffset first = vcpus.getFirst().getTscOffset();
    String observation =
        "offset of a new vCPU 0: %s; host's TSC around KVM_CREATE_VCPU: %s"
            .formatted(first, firstCreated);
    reporter.publishEntry(observation);
    assertTrue(
        firstCreated.contains(-first.ticks()), observation + "; expected minus a value in there");
    for (Vcpu vcpu : vcpus) {
      assertEquals(first, vcpu.getTscOffset(), () -> "offset of new " + vcpu);
      assertEquals(0, vcpu.getMsr(Msr.IA32_TSC_ADJUST), () -> "IA32_TSC_ADJUST of new " + vcpu);
      TimedCalls calls = new TimedCalls();
      TimedCalls.Timed<Long> tsc = calls.getMsr(vcpu, Msr.IA32_TSC);
      calls.make();
      CounterWindow expected = tsc.hostTsc().plus(first.ticks());
      assertTrue(
          expected.contains(tsc.value()),
          () -> "IA32_TSC of new %s: %d, expected %s".formatted(vcpu, tsc.value(), expected));
    }
  }

  @Test
  void msrsOfNewVcpuAre0() {
    List<Msr> atZero = new ArrayList<>(TIME_MSRS);
    atZero.remove(Msr.IA32_TSC);
    for (Vcpu vcpu : vcpus) {
      for (Msr msr : atZero) {
        assertEquals(0, vcpu.getMsr(msr), () -> "%s of new %s".formatted(msr, vcpu));
      }
    }
  }
}
