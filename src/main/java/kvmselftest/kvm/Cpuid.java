package kvmselftest.kvm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.stream.Stream;
import kvmselftest.bindings.kvm_cpuid2;
import kvmselftest.bindings.kvm_cpuid_entry2;

/** The entries of KVM_GET_SUPPORTED_CPUID, and what it leaves to its caller (api.rst, 4.46). */
final class Cpuid {
  private static final int FEATURES = 1;

  /** CPUID.1:ECX, bit 24 (SDM volume 2, CPUID). */
  private static final int TSC_DEADLINE = 1 << 24;

  private Cpuid() {}

  /** All zeros if it is not there. */
  static CpuidLeaf leaf(MemorySegment cpuid, int function, int index) {
    return entries(cpuid)
        .filter(entry -> isOf(entry, function, index))
        .findFirst()
        .map(
            entry ->
                new CpuidLeaf(
                    kvm_cpuid_entry2.eax(entry),
                    kvm_cpuid_entry2.ebx(entry),
                    kvm_cpuid_entry2.ecx(entry),
                    kvm_cpuid_entry2.edx(entry)))
        .orElse(new CpuidLeaf(0, 0, 0, 0));
  }

  /**
   * Tells the guest that its local APIC has the TSC-deadline mode: up to Linux 6.x that stands in a
   * capability only, since it is the user's to create the local APIC in the kernel.
   */
  static void addTscDeadline(MemorySegment cpuid) {
    entries(cpuid)
        .filter(entry -> kvm_cpuid_entry2.function(entry) == FEATURES)
        .forEach(entry -> kvm_cpuid_entry2.ecx(entry, kvm_cpuid_entry2.ecx(entry) | TSC_DEADLINE));
  }

  /** A copy that does not tell the guest of this feature. */
  static MemorySegment without(MemorySegment cpuid, CpuidFeature feature) {
    MemorySegment copy = Arena.ofAuto().allocate(cpuid.byteSize(), 8).copyFrom(cpuid);
    entries(copy).filter(entry -> isOf(entry, feature.function(), 0)).forEach(feature::hide);
    return copy;
  }

  private static boolean isOf(MemorySegment entry, int function, int index) {
    return kvm_cpuid_entry2.function(entry) == function && kvm_cpuid_entry2.index(entry) == index;
  }

  /** The flexible array behind the header, which the generated layout leaves out. */
  private static Stream<MemorySegment> entries(MemorySegment cpuid) {
    return cpuid
        .asSlice(kvm_cpuid2.sizeof(), kvm_cpuid2.nent(cpuid) * kvm_cpuid_entry2.sizeof())
        .elements(kvm_cpuid_entry2.layout());
  }
}
