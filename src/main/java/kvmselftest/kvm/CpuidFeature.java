package kvmselftest.kvm;

import java.lang.foreign.MemorySegment;
import kvmselftest.bindings.kvm_cpuid_entry2;

/** Bits of CPUID by which a guest is told of its clocks, and which a VMM may hide from it. */
public enum CpuidFeature {
  /** IA32_TSC_ADJUST: CPUID.7:EBX, bit 1 (SDM volume 2, CPUID). */
  TSC_ADJUST(7, 0, 1 << 1),
  /**
   * kvmclock by its older MSRs: CPUID.40000001H:EAX, bit 0 (Documentation/virt/kvm/x86/cpuid.rst).
   */
  KVM_FEATURE_CLOCKSOURCE(0x4000_0001, 1, 0),
  /** kvmclock by its newer MSRs: the same, bit 3. */
  KVM_FEATURE_CLOCKSOURCE2(0x4000_0001, 1 << 3, 0);

  private final int function;
  private final int eax;
  private final int ebx;

  CpuidFeature(int function, int eax, int ebx) {
    this.function = function;
    this.eax = eax;
    this.ebx = ebx;
  }

  /** EAX of the CPUID instruction that tells of it; ECX is 0. */
  int function() {
    return function;
  }

  /** Clears its bit in the {@code struct kvm_cpuid_entry2} of its function. */
  void hide(MemorySegment entry) {
    kvm_cpuid_entry2.eax(entry, kvm_cpuid_entry2.eax(entry) & ~eax);
    kvm_cpuid_entry2.ebx(entry, kvm_cpuid_entry2.ebx(entry) & ~ebx);
  }
}
