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
