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
