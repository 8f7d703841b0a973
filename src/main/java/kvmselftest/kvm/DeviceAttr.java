package kvmselftest.kvm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import kvmselftest.bindings.kvm_device_attr;
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

  /** A {@code struct kvm_device_attr} with the address of the attribute's value. */
  MemorySegment allocate(Arena arena, long address) {
    MemorySegment argument = kvm_device_attr.allocate(arena);
    kvm_device_attr.group(argument, group);
    kvm_device_attr.attr(argument, attr);
    kvm_device_attr.addr(argument, address);
    return argument;
  }

  /**
   * The bytes of a {@code struct kvm_device_attr}.
   *
   * @param address of the attribute's value
   */
  public byte[] toBytes(long address) {
    try (Arena arena = Arena.ofConfined()) {
      return allocate(arena, address).toArray(JAVA_BYTE);
    }
  }

  @Override
  public String toString() {
    return equals(TSC_OFFSET)
        ? "KVM_VCPU_TSC_CTRL/KVM_VCPU_TSC_OFFSET"
        : "group " + Integer.toUnsignedString(group) + " attr " + Long.toUnsignedString(attr);
  }
}
