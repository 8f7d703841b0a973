package kvmselftest.kvm;

import kvmselftest.bindings.kvm_h;

/** What KVM_CHECK_EXTENSION can be asked about, with the Linux release that brought it. */
public enum Capability {
  /** KVM_GET_CLOCK and KVM_SET_CLOCK; the answer is the mask of supported flags, 2 before 5.16. */
  KVM_CAP_ADJUST_CLOCK(kvm_h.KVM_CAP_ADJUST_CLOCK(), "2.6.33"),
  /** KVM_GET_TSC_KHZ. */
  KVM_CAP_GET_TSC_KHZ(kvm_h.KVM_CAP_GET_TSC_KHZ(), "2.6.39"),
  /** KVM_SET_TSC_KHZ and KVM_GET_TSC_KHZ on a VM. */
  KVM_CAP_VM_TSC_CONTROL(kvm_h.KVM_CAP_VM_TSC_CONTROL(), "5.16"),
  /** The local APIC's timer in TSC-deadline mode. */
  KVM_CAP_TSC_DEADLINE_TIMER(kvm_h.KVM_CAP_TSC_DEADLINE_TIMER(), "3.2"),
  /** KVM_KVMCLOCK_CTRL. */
  KVM_CAP_KVMCLOCK_CTRL(kvm_h.KVM_CAP_KVMCLOCK_CTRL(), "3.5"),
  /** KVM_HAS_DEVICE_ATTR and its kin on a vCPU. */
  KVM_CAP_VCPU_ATTRIBUTES(kvm_h.KVM_CAP_VCPU_ATTRIBUTES(), "4.7"),
  /** The guest's TSC can run at another rate than the host's: the CPU scales it. */
  KVM_CAP_TSC_CONTROL(kvm_h.KVM_CAP_TSC_CONTROL(), "2.6.39"),
  /** {@code kvm_run.immediate_exit}. */
  KVM_CAP_IMMEDIATE_EXIT(kvm_h.KVM_CAP_IMMEDIATE_EXIT(), "4.11"),
  /** A guest has of KVM's own features only those that its CPUID tells of. */
  KVM_CAP_ENFORCE_PV_FEATURE_CPUID(kvm_h.KVM_CAP_ENFORCE_PV_FEATURE_CPUID(), "5.10");

  private final int number;
  private final String since;

  Capability(int number, String since) {
    this.number = number;
    this.since = since;
  }

  int number() {
    return number;
  }

  /** The first Linux release that has it. */
  public String since() {
    return since;
  }
}
