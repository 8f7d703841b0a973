package kvmselftest.kvm;

import java.lang.foreign.MemorySegment;
import kvmselftest.bindings.kvm_cpuid2;
import kvmselftest.bindings.kvm_cpuid_entry2;

/** What KVM_GET_SUPPORTED_CPUID leaves to its caller (api.rst, 4.46). */
final class Cpuid {
  private static final int FEATURES = 1;

  /** CPUID.1:ECX, bit 24 (SDM volume 2, CPUID). */
  private static final int TSC_DEADLINE = 1 << 24;

  private Cpuid() {}

  /** All zeros if it is not there. */
  static CpuidLeaf leaf(MemorySegment cpuid, int function, int index) {
    for (int i = 0; i < kvm_cpuid2.nent(cpuid); i++) {
      MemorySegment entry =
          cpuid.asSlice(
              kvm_cpuid2.sizeof() + i * kvm_cpuid_entry2.sizeof(), kvm_cpuid_entry2.sizeof());
      if (kvm_cpuid_entry2.function(entry) == function && kvm_cpuid_entry2.index(entry) == index) {
        return new CpuidLeaf(
            kvm_cpuid_entry2.eax(entry),
            kvm_cpuid_entry2.ebx(entry),
            kvm_cpuid_entry2.ecx(entry),
            kvm_cpuid_entry2.edx(entry));
      }
    }
    return new CpuidLeaf(0, 0, 0, 0);
  }

  /**
   * Tells the guest that its local APIC has the TSC-deadline mode: up to Linux 6.x that stands in a
   * capability only, since it is the user's to create the local APIC in the kernel.
   */
  static void addTscDeadline(MemorySegment cpuid) {
    for (int i = 0; i < kvm_cpuid2.nent(cpuid); i++) {
      MemorySegment entry =
          cpuid.asSlice(
              kvm_cpuid2.sizeof() + i * kvm_cpuid_entry2.sizeof(), kvm_cpuid_entry2.sizeof());
      if (kvm_cpuid_entry2.function(entry) == FEATURES) {
        kvm_cpuid_entry2.ecx(entry, kvm_cpuid_entry2.ecx(entry) | TSC_DEADLINE);
      }
    }
  }
}
