package kvmselftest.selftests;

import static kvmselftest.selftests.Refusal.assertAccepted;
import static kvmselftest.selftests.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import kvmselftest.Requires;
import kvmselftest.guest.ClockGuest;
import kvmselftest.kvm.ClockData;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.KvmModule;
import kvmselftest.kvm.Requirement;
import kvmselftest.kvm.TimedCalls;
import kvmselftest.kvm.TscOffset;
import kvmselftest.kvm.Vcpu;
import kvmselftest.kvm.Vm;
import kvmselftest.probe.Behaviour;
import kvmselftest.sys.Clock;
import kvmselftest.sys.Errno;
import kvmselftest.x86.CounterWindow;
import kvmselftest.x86.Msr;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * KVM_SET_TSC_KHZ and KVM_GET_TSC_KHZ, of a VM and of a vCPU (api.rst, 4.54 and 4.55): which rates
 * are accepted, what they hold for, and that nothing else changes. Where the CPU scales, {@link
 * TscScalingTest} has more.
 *
 * <p>Upstream's tsc_scaling_sync and nested_tsc_scaling_test take 1 % of tolerance and see only
 * rates that are accepted. Rates below 1 MHz are never asked for: on kernels without "KVM: x86:
 * avoid underflow when scaling TSC frequency", 1 kHz and KVM_RUN make an endless loop in the host.
 */
@Tag("selftest")
@Requires({
  Requirement.KVM,
  Requirement.TSC_OFFSET,
  Requirement.VM_TSC_KHZ,
  Requirement.TSC_CLOCKSOURCE
})
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TscKhzTest {
  /** Of half a unit in the last place of a multiplier of 21 bits. */
  private static final double MULTIPLIER_ERROR = 2.5e-7;

  private static final long PAGE_SIZE = 4096;
  private static final int VCPUS = 4;
  private static final long MILLION = 1_000_000;

  /** 1 MHz. */
  private static final int LEAST = 1000;

  private final Kvm kvm = Kvm.open();
  private final ClockGuest guest = ClockGuest.load(kvm);
  private final List<Vcpu> vcpus = new ArrayList<>();
  private final TimedCalls begin = new TimedCalls();
  private final TimedCalls.Timed<Long> rawAtBegin = begin.read(Clock.MONOTONIC_RAW);
  private ClockState settled;
  private int hostKhz;

  /** The least and the most that KVM takes for the host's own rate, kHz. */
  private int lowest;

  private int highest;

  @BeforeAll
  void createVcpus() {
    begin.make();
    hostKhz = guest.vm().getTscKhz();
    long tolerance = KvmModule.tscTolerancePpm();
    lowest = (int) (hostKhz * (MILLION - tolerance) / MILLION);
    highest = (int) (hostKhz * (MILLION + tolerance) / MILLION);
    for (int i = 0; i < VCPUS; i++) {
      vcpus.add(guest.createVcpu(i));
    }
  }

  @BeforeEach
  void settle() {
    settled = ClockState.settle(guest, vcpus);
  }

  @AfterAll
  void close() {
    guest.close();
    kvm.close();
  }

  @Test
  void everyRateIsTheHosts() {
    assertEquals(hostKhz, guest.vm().getTscKhz(), "KVM_GET_TSC_KHZ of the VM");
    for (Vcpu vcpu : vcpus) {
      assertEquals(hostKhz, vcpu.getTscKhz(), () -> "KVM_GET_TSC_KHZ of " + vcpu);
    }
  }

  /**
   * CLOCK_MONOTONIC_RAW is the TSC by that rate, to 1 in 4 million as the clocksource's multiplier,
   * which has 21 bits or more, is rounded (kernel/time/clocksource.c); a rate in kHz is rounded
   * down.
   */
  @Test
  void hostsRateIsThatOfItsTsc(TestReporter reporter) {
    TimedCalls end = new TimedCalls();
    TimedCalls.Timed<Long> raw = end.read(Clock.MONOTONIC_RAW);
    end.make();
    double nanos = raw.value() - rawAtBegin.value();
    double least = raw.hostTsc().from() - rawAtBegin.hostTsc().to();
    double most = raw.hostTsc().to() - rawAtBegin.hostTsc().from();
    double slowest = least / (nanos + 1) * MILLION * (1 - MULTIPLIER_ERROR) - 1;
    double fastest = most / (nanos - 1) * MILLION * (1 + MULTIPLIER_ERROR);
    String observation =
        "KVM_GET_TSC_KHZ of the VM: %d kHz; TSC against CLOCK_MONOTONIC_RAW over %.0f ms: %.1f to %.1f kHz, +-%.1f ppm"
            .formatted(
                hostKhz,
                nanos / MILLION,
                slowest,
                fastest,
                (fastest - slowest) / 2 / hostKhz * MILLION);
    reporter.publishEntry(
        Measured.between(observation, "TSC's rate", "kHz", slowest, fastest, hostKhz, hostKhz));
    assertTrue(slowest <= hostKhz && hostKhz <= fastest, observation);
  }

  /** Within the tolerance, so that it can be done without scaling. */
  @Test
  void rateOfVmIsThatOfEveryVcpuToCome(TestReporter reporter) {
    try (Vm vm = kvm.createVm(PAGE_SIZE)) {
      for (int khz : new int[] {lowest, hostKhz, highest}) {
        assertAccepted(vm.trySetTscKhz(khz), "KVM_SET_TSC_KHZ of the VM to " + khz);
        assertEquals(khz, vm.getTscKhz(), "KVM_GET_TSC_KHZ of the VM");
      }
      assertAccepted(vm.trySetTscKhz(0), "KVM_SET_TSC_KHZ of the VM to 0, the host's rate");
      assertEquals(hostKhz, vm.getTscKhz(), "KVM_GET_TSC_KHZ of the VM after 0 was set");
      assertAccepted(vm.trySetTscKhz(highest), "KVM_SET_TSC_KHZ of the VM to " + highest);

      List<Vcpu> created = new ArrayList<>();
      for (int i = 0; i < VCPUS; i++) {
        created.add(vm.createVcpu(i));
      }

      TscOffset first = created.getFirst().getTscOffset();
      for (Vcpu vcpu : created) {
        assertEquals(highest, vcpu.getTscKhz(), () -> "KVM_GET_TSC_KHZ of new " + vcpu);
        assertEquals(first, vcpu.getTscOffset(), () -> "offset of new " + vcpu);
      }
      assertEquals(highest, vm.getTscKhz(), "KVM_GET_TSC_KHZ of the VM with vCPUs");
      assertEquals(
          ClockData.flagNames(ClockData.ALL_FLAGS),
          ClockData.flagNames(flagsAfterSetClock(vm)),
          "flags of KVM_GET_CLOCK after KVM_SET_CLOCK, with vCPUs of one rate and one offset");
      reporter.publishEntry("host %d kHz, VM and vCPUs %d kHz".formatted(hostKhz, highest));
    }
  }

  private static int flagsAfterSetClock(Vm vm) {
    vm.setClock(ClockData.ofClock(1));
    return vm.getClock().flags();
  }

  /** {@link Behaviour#KHZ_VM_AFTER_VCPU}: too late for the vCPUs that are there either way. */
  @Test
  void rateOfVmWithVcpusLeavesThemAlone(TestReporter reporter) {
    boolean accepted = Behaviour.KHZ_VM_AFTER_VCPU.is("accepted");
    Optional<Errno> expected = accepted ? Optional.empty() : Optional.of(Errno.EINVAL);

    Optional<Errno> answer = guest.vm().trySetTscKhz(highest);
    int then = guest.vm().getTscKhz();
    guest.vm().trySetTscKhz(0);

    reporter.publishEntry("KVM_SET_TSC_KHZ of a VM with vCPUs: %s".formatted(answer));
    assertEquals(expected, answer, "KVM_SET_TSC_KHZ of a VM with vCPUs");
    assertEquals(accepted ? highest : hostKhz, then, "KVM_GET_TSC_KHZ of the VM afterwards");
    assertEquals(hostKhz, guest.vm().getTscKhz(), "KVM_GET_TSC_KHZ of the VM after 0 was set");
    settled.assertUnchanged("KVM_SET_TSC_KHZ of the VM");
  }

  @Test
  void hostsRateLeavesTheTscAsItIs() {
    for (Vcpu vcpu : vcpus) {
      for (int khz : new int[] {hostKhz, 0, hostKhz, 0}) {
        assertAccepted(vcpu.trySetTscKhz(khz), "KVM_SET_TSC_KHZ of %s to %d".formatted(vcpu, khz));
        assertEquals(hostKhz, vcpu.getTscKhz(), () -> "KVM_GET_TSC_KHZ of " + vcpu);
      }
    }
    settled.assertUnchanged("KVM_SET_TSC_KHZ of every vCPU to the host's rate");
  }

  /**
   * Within the module's tsc_tolerance_ppm: what was asked for is got, though the CPU scales not.
   */
  @Test
  void rateWithinToleranceIsGotAndChangesNothingElse(TestReporter reporter) {
    reporter.publishEntry("%d to %d kHz, host %d".formatted(lowest, highest, hostKhz));
    for (Vcpu vcpu : vcpus) {
      for (int khz : new int[] {lowest, highest}) {
        String call = "KVM_SET_TSC_KHZ of %s to %d kHz".formatted(vcpu, khz);
        assertAccepted(vcpu.trySetTscKhz(khz), call);
        assertEquals(khz, vcpu.getTscKhz(), call);
        settled.assertUnchangedButRate(vcpu, khz, call);
      }
      assertAccepted(vcpu.trySetTscKhz(0), "KVM_SET_TSC_KHZ to 0");
    }
    settled.assertUnchanged("all rates were set to 0, the host's");
  }

  /** vCPUs of different rates come apart, so one must not be taken for another's copy. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, VCPUS - 1})
  void vcpuOfAnotherRateIsNotSynchronized(int index, TestReporter reporter) {
    Vcpu other = vcpus.get(index);
    assertAccepted(other.trySetTscKhz(highest), "KVM_SET_TSC_KHZ within the tolerance");
    long tsc = 10_000_000_000_000L;
    vcpus.getFirst().setMsr(Msr.IA32_TSC, tsc);
    TscOffset first = vcpus.getFirst().getTscOffset();

    TimedCalls calls = new TimedCalls();
    TimedCalls.Timed<Long> written = calls.setMsr(other, Msr.IA32_TSC, tsc - 1);
    calls.make();

    TscOffset own = other.getTscOffset();
    CounterWindow hostTsc = written.hostTsc();
    String observation =
        "offset of %s of another rate after IA32_TSC was written: %s, vCPU 0's %s, expected %d minus %s"
            .formatted(other, own, first, tsc - 1, hostTsc);
    reporter.publishEntry(observation);
    assertNotEquals(first, own, observation);
    assertTrue(hostTsc.contains(tsc - 1 - own.ticks()), observation);
    for (Vcpu vcpu : vcpus) {
      vcpu.setTscOffset(first);
    }
    for (Vcpu vcpu : vcpus) {
      vcpu.setTscOffset(first);
    }
    assertEquals(
        ClockData.flagNames(0),
        ClockData.flagNames(flagsAfterSetClock(guest.vm())),
        () -> "flags of KVM_GET_CLOCK with equal offsets, but another rate of " + other);
  }

  @Test
  @Requires(Requirement.NO_TSC_CONTROL)
  void rateBelowTheHostsIsRefusedWithoutScaling(TestReporter reporter) {
    boolean sticks = Behaviour.KHZ_REFUSED.is("sticks");
    for (Vcpu vcpu : vcpus) {
      TscOffset offset = vcpu.getTscOffset();
      for (int khz : new int[] {lowest - 1, hostKhz / 2, LEAST}) {
        String call = "KVM_SET_TSC_KHZ of %s to %d kHz".formatted(vcpu, khz);
        assertRefused(Errno.EINVAL, vcpu.trySetTscKhz(khz), call);
        int got = vcpu.getTscKhz();
        // Not left so for a KVM_RUN: the guest's clocks would be computed with it.
        assertAccepted(vcpu.trySetTscKhz(0), "KVM_SET_TSC_KHZ to 0");
        reporter.publishEntry("%s: refused, KVM_GET_TSC_KHZ %d".formatted(call, got));
        assertEquals(
            sticks ? khz : hostKhz, got, () -> "KVM_GET_TSC_KHZ after the refused " + call);
        assertEquals(offset, vcpu.getTscOffset(), () -> "offset after the refused " + call);
      }
    }
    settled.assertUnchanged("rates were refused and set to 0, the host's");
  }

  /** KVM then catches up in software, if at all; that stays so, hence a VM of its own. */
  @Test
  @Requires(Requirement.NO_TSC_CONTROL)
  void rateAboveTheHostsIsAcceptedWithoutScaling() {
    try (Vm vm = kvm.createVm(PAGE_SIZE)) {
      Vcpu vcpu = vm.createVcpu(0);
      TscOffset offset = vcpu.getTscOffset();
      for (int khz : new int[] {highest + 1, hostKhz * 2 / 3 * 2}) {
        String call = "KVM_SET_TSC_KHZ to %d kHz".formatted(khz);
        assertAccepted(vcpu.trySetTscKhz(khz), call);
        assertEquals(khz, vcpu.getTscKhz(), call);
        assertEquals(offset, vcpu.getTscOffset(), () -> "offset after " + call);
      }
      assertAccepted(vcpu.trySetTscKhz(0), "KVM_SET_TSC_KHZ to 0");
      assertEquals(hostKhz, vcpu.getTscKhz(), "KVM_GET_TSC_KHZ after 0 was set");
    }
  }
}
