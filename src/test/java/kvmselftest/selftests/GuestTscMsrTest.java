package kvmselftest.selftests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import kvmselftest.Requires;
import kvmselftest.guest.ClockGuest;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Requirement;
import kvmselftest.kvm.TscOffset;
import kvmselftest.kvm.Vcpu;
import kvmselftest.x86.ErrorBounds;
import kvmselftest.x86.Msr;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;

/**
 * A guest reads its TSC in two ways: RDTSC, to which the CPU adds the offset, and RDMSR of
 * IA32_TSC, which KVM computes. They are one counter.
 */
@Tag("selftest")
@Requires({Requirement.KVM, Requirement.TSC_OFFSET})
class GuestTscMsrTest {
  private static final int VCPUS = 4;
  private static final int SAMPLES = 300;

  @Test
  void rdmsrIsBetweenTwoRdtscs(TestReporter reporter) {
    try (Kvm kvm = Kvm.open();
        ClockGuest guest = ClockGuest.load(kvm)) {
      for (int i = 0; i < VCPUS; i++) {
        Vcpu vcpu = guest.createVcpu(i);
        vcpu.setTscOffset(new TscOffset(-3_000_000_000_007L * (i + 1)));

        ErrorBounds bounds = guest.sampleMsr(vcpu, Msr.IA32_TSC, SAMPLES);

        String observation =
            "%s: the guest's RDMSR of IA32_TSC against RDTSC before and after: %s"
                .formatted(vcpu, bounds);
        reporter.publishEntry(Measured.error(observation, "RDMSR of " + vcpu, bounds));
        assertTrue(bounds.allowNone(), () -> observation + ", which leaves out 0");
        assertEquals(
            0,
            guest.readMsr(vcpu, Msr.IA32_TSC_ADJUST).value(),
            vcpu + ": the guest's IA32_TSC_ADJUST, which it has not written");
      }
    }
  }
}
