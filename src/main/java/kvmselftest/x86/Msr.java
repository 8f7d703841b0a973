package kvmselftest.x86;

/**
 * A model-specific register. The indices stand in no header that user space gets: they are from the
 * Intel SDM volume 4 and the kernel's Documentation/virt/kvm/x86/msr.rst.
 */
public enum Msr {
  /** The guest's time stamp counter (SDM volume 3, section 19.17). */
  IA32_TSC(0x10),
  /** What the guest itself has added to its TSC (SDM volume 3, section 19.17.3). */
  IA32_TSC_ADJUST(0x3b),
  /** The TSC value at which the local APIC's timer fires (SDM volume 3, section 12.5.4.1). */
  IA32_TSC_DEADLINE(0x6e0),
  /** Base and mode of the local APIC (SDM volume 3, section 12.4.4). */
  IA32_APIC_BASE(0x1b),
  /**
   * The task's priority, in x2APIC mode: the local APIC delivers vectors of a higher class (bits 4
   * to 7) alone (SDM volume 3, section 12.8.3.1).
   */
  X2APIC_TPR(0x808),
  /** The local APIC's spurious interrupt vector, in x2APIC mode (SDM volume 3, section 12.12.1). */
  X2APIC_SIVR(0x80f),
  /** Bits 32 to 63 of the local APIC's interrupt requests, in x2APIC mode. */
  X2APIC_IRR1(0x821),
  /** Bits 64 to 95 of the local APIC's interrupt requests, in x2APIC mode. */
  X2APIC_IRR2(0x822),
  /** Bits 96 to 127 of the local APIC's interrupt requests, in x2APIC mode. */
  X2APIC_IRR3(0x823),
  /** Bits 128 to 159 of the local APIC's interrupt requests, in x2APIC mode. */
  X2APIC_IRR4(0x824),
  /** Bits 160 to 191 of the local APIC's interrupt requests, in x2APIC mode. */
  X2APIC_IRR5(0x825),
  /** Bits 192 to 223 of the local APIC's interrupt requests, in x2APIC mode. */
  X2APIC_IRR6(0x826),
  /** Bits 224 to 255 of the local APIC's interrupt requests, in x2APIC mode. */
  X2APIC_IRR7(0x827),
  /** The local APIC's timer: vector and mode, in x2APIC mode. */
  X2APIC_LVT_TIMER(0x832),
  /** What the local APIC's timer counts down from in the modes that count, in x2APIC mode. */
  X2APIC_INITIAL_COUNT(0x838),
  /** What is left of it, read-only. */
  X2APIC_CURRENT_COUNT(0x839),
  /** {@link #KVM_WALL_CLOCK_NEW}, the index of old. */
  KVM_WALL_CLOCK(0x11),
  /** {@link #KVM_SYSTEM_TIME_NEW}, the index of old. */
  KVM_SYSTEM_TIME(0x12),
  /** What the guest is (Hyper-V TLFS, section 2.6); the other Hyper-V MSRs need it. */
  HV_X64_MSR_GUEST_OS_ID(0x4000_0000),
  /** The hypercall page (Hyper-V TLFS, section 3.13). */
  HV_X64_MSR_HYPERCALL(0x4000_0001),
  /** Reference time, 100 ns (Hyper-V TLFS, section 12.3). */
  HV_X64_MSR_TIME_REF_COUNT(0x4000_0020),
  /** GPA of the reference TSC page, bit 0 to enable it (Hyper-V TLFS, section 12.7). */
  HV_X64_MSR_REFERENCE_TSC(0x4000_0021),
  /** Not 0: TSC accesses are emulated after a migration (Hyper-V TLFS, section 12.8). */
  HV_X64_MSR_TSC_EMULATION_CONTROL(0x4000_0107),
  /** GPA at which KVM writes the wall clock of boot. */
  KVM_WALL_CLOCK_NEW(0x4b564d00),
  /** GPA of a vCPU's pvclock page, bit 0 to enable it. */
  KVM_SYSTEM_TIME_NEW(0x4b564d01);

  private final int index;

  Msr(int index) {
    this.index = index;
  }

  public int index() {
    return index;
  }

  @Override
  public String toString() {
    return "MSR_" + name();
  }
}
