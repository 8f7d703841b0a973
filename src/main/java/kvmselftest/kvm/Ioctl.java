package kvmselftest.kvm;

import kvmselftest.bindings.kvm_h;

/** The ioctls in use, by their names in linux/kvm.h. */
enum Ioctl {
  KVM_GET_API_VERSION(kvm_h.KVM_GET_API_VERSION()),
  KVM_GET_MSR_INDEX_LIST(kvm_h.KVM_GET_MSR_INDEX_LIST()),
  KVM_CREATE_VM(kvm_h.KVM_CREATE_VM()),
  KVM_CHECK_EXTENSION(kvm_h.KVM_CHECK_EXTENSION()),
  KVM_GET_VCPU_MMAP_SIZE(kvm_h.KVM_GET_VCPU_MMAP_SIZE()),
  KVM_GET_SUPPORTED_CPUID(kvm_h.KVM_GET_SUPPORTED_CPUID()),
  KVM_CREATE_VCPU(kvm_h.KVM_CREATE_VCPU()),
  KVM_SET_USER_MEMORY_REGION(kvm_h.KVM_SET_USER_MEMORY_REGION()),
  KVM_GET_DIRTY_LOG(kvm_h.KVM_GET_DIRTY_LOG()),
  KVM_CREATE_IRQCHIP(kvm_h.KVM_CREATE_IRQCHIP()),
  KVM_GET_CLOCK(kvm_h.KVM_GET_CLOCK()),
  KVM_SET_CLOCK(kvm_h.KVM_SET_CLOCK()),
  KVM_RUN(kvm_h.KVM_RUN()),
  KVM_GET_REGS(kvm_h.KVM_GET_REGS()),
  KVM_SET_REGS(kvm_h.KVM_SET_REGS()),
  KVM_GET_SREGS(kvm_h.KVM_GET_SREGS()),
  KVM_SET_SREGS(kvm_h.KVM_SET_SREGS()),
  KVM_GET_MSRS(kvm_h.KVM_GET_MSRS()),
  KVM_SET_MSRS(kvm_h.KVM_SET_MSRS()),
  KVM_SET_CPUID2(kvm_h.KVM_SET_CPUID2()),
  KVM_ENABLE_CAP(kvm_h.KVM_ENABLE_CAP()),
  KVM_GET_TSC_KHZ(kvm_h.KVM_GET_TSC_KHZ()),
  KVM_SET_TSC_KHZ(kvm_h.KVM_SET_TSC_KHZ()),
  KVM_HAS_DEVICE_ATTR(kvm_h.KVM_HAS_DEVICE_ATTR()),
  KVM_GET_DEVICE_ATTR(kvm_h.KVM_GET_DEVICE_ATTR()),
  KVM_SET_DEVICE_ATTR(kvm_h.KVM_SET_DEVICE_ATTR()),
  KVM_KVMCLOCK_CTRL(kvm_h.KVM_KVMCLOCK_CTRL()),
  KVM_SET_MP_STATE(kvm_h.KVM_SET_MP_STATE()),
  KVM_GET_LAPIC(kvm_h.KVM_GET_LAPIC()),
  KVM_SET_LAPIC(kvm_h.KVM_SET_LAPIC());

  private final long request;

  Ioctl(long request) {
    this.request = request;
  }

  long request() {
    return request;
  }
}
