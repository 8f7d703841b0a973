package kvmselftest.kvm;

import kvmselftest.bindings.kvm_h;

/**
 * An attribute of a vCPU (Documentation/virt/kvm/devices/vcpu.rst).
 *
 * @param group {@code kvm_device_attr.group}
 * @param attr {@code kvm_device_attr.attr}
 */
public record DeviceAttr(int group, long attr) {
  /** The group of the TSC's attributes, KVM_VCPU_TSC_CTRL. */
  public static final int TSC_CTRL = kvm_h.KVM_VCPU_TSC_CTRL();

  /**
   * KVM_VCPU_TSC_OFFSET: guest TSC minus host TSC, 64 bits (vcpu.rst, section 4.1). Since Linux
   * 5.16.
   */
  public static final DeviceAttr TSC_OFFSET = new DeviceAttr(TSC_CTRL, kvm_h.KVM_VCPU_TSC_OFFSET());

  /** KVM_VCPU_TSC_SCALE: ratio of guest and host TSC. Proposed; in no released kernel's header. */
  public static final DeviceAttr TSC_SCALE = new DeviceAttr(TSC_CTRL, 1);

  @Override
  public String toString() {
    return equals(TSC_OFFSET)
        ? "KVM_VCPU_TSC_CTRL/KVM_VCPU_TSC_OFFSET"
        : "group " + Integer.toUnsignedString(group) + " attr " + Long.toUnsignedString(attr);
  }
}
