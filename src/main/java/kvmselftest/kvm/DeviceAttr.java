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

  @Override
  public String toString() {
    return equals(TSC_OFFSET)
        ? "KVM_VCPU_TSC_CTRL/KVM_VCPU_TSC_OFFSET"
        : "group " + Integer.toUnsignedString(group) + " attr " + Long.toUnsignedString(attr);
  }
}
