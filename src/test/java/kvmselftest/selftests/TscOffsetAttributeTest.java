package kvmselftest.selftests;

import static kvmselftest.selftests.Refusal.assertAccepted;
import static kvmselftest.selftests.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import kvmselftest.Requires;
import kvmselftest.kvm.DeviceAttr;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Requirement;
import kvmselftest.kvm.TscOffset;
import kvmselftest.kvm.Vcpu;
import kvmselftest.kvm.Vm;
import kvmselftest.sys.Errno;
import kvmselftest.x86.HostTsc;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * KVM_HAS_DEVICE_ATTR, KVM_GET_DEVICE_ATTR and KVM_SET_DEVICE_ATTR of the vCPU attribute
 * KVM_VCPU_TSC_CTRL/KVM_VCPU_TSC_OFFSET (Documentation/virt/kvm/devices/vcpu.rst, section 4.1).
 *
 * <p>Mirrors the helpers that came with upstream's system_counter_offset_test.c,
 * vcpu_device_attr_get() and their kin, of which upstream only uses the one that sets.
 */
@Tag("selftest")
@Requires({Requirement.KVM, Requirement.TSC_OFFSET})
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TscOffsetAttributeTest {
  private static final int VCPUS = 4;
  private static final long PAGE_SIZE = 4096;

  private final Kvm kvm = Kvm.open();
  private final Vm vm = kvm.createVm(PAGE_SIZE);
  private List<Vcpu> vcpus;

  @BeforeAll
  void createVcpus() {
    vcpus = IntStream.range(0, VCPUS).mapToObj(vm::createVcpu).toList();
  }

  @AfterAll
  void close() {
    vm.close();
    kvm.close();
  }

  private static long seconds(Vcpu vcpu, long seconds) {
    return seconds * vcpu.getTscKhz() * 1000;
  }

  static Stream<Arguments> offsets() {
    return Stream.of(
        offset("0", vcpu -> 0L),
        offset("+1", vcpu -> 1L),
        offset("-1", vcpu -> -1L),
        offset("+180 s", vcpu -> seconds(vcpu, 180)),
        offset("-180 s", vcpu -> seconds(vcpu, -180)),
        offset("minus the host TSC", vcpu -> -HostTsc.read()),
        offset("the smallest", vcpu -> Long.MIN_VALUE),
        offset("the largest", vcpu -> Long.MAX_VALUE));
  }

  private static Arguments offset(String name, Function<Vcpu, Long> ticks) {
    return argumentSet(name, ticks);
  }

  @Test
  void attributeIsPresent() {
    assertAccepted(
        vcpus.getFirst().tryHasDeviceAttr(DeviceAttr.TSC_OFFSET),
        "KVM_HAS_DEVICE_ATTR of " + DeviceAttr.TSC_OFFSET);
  }

  @ParameterizedTest
  @MethodSource("offsets")
  void offsetIsReadBackBitForBit(Function<Vcpu, Long> ticks, TestReporter reporter) {
    Vcpu vcpu = vcpus.getFirst();
    TscOffset written = new TscOffset(ticks.apply(vcpu));

    vcpu.setTscOffset(written);

    TscOffset read = vcpu.getTscOffset();
    reporter.publishEntry("%s: wrote %s, read %s".formatted(vcpu, written, read));
    assertEquals(
        written,
        read,
        () -> vcpu + ": KVM_GET_DEVICE_ATTR after KVM_SET_DEVICE_ATTR of " + written);
  }

  @ParameterizedTest
  @MethodSource("offsets")
  void offsetOfOneVcpuLeavesOthersAlone(Function<Vcpu, Long> ticks) {
    for (Vcpu written : vcpus) {
      List<TscOffset> expected =
          vcpus.stream().map(vcpu -> new TscOffset(1000L * (vcpu.index() + 1))).toList();
      vcpus.forEach(vcpu -> vcpu.setTscOffset(expected.get(vcpu.index())));

      written.setTscOffset(new TscOffset(ticks.apply(written)));

      for (Vcpu other : vcpus) {
        if (other != written) {
          assertEquals(
              expected.get(other.index()),
              other.getTscOffset(),
              () -> "offset of %s after %s was written".formatted(other, written));
        }
      }
    }
  }

  static Stream<Arguments> unknownAttributes() {
    return Stream.of(
        argumentSet("attribute 42", new DeviceAttr(DeviceAttr.TSC_CTRL, 42)),
        argumentSet("attribute 2^64 - 1", new DeviceAttr(DeviceAttr.TSC_CTRL, -1)),
        argumentSet("group 42", new DeviceAttr(42, DeviceAttr.TSC_OFFSET.attr())),
        argumentSet("group 2^32 - 1", new DeviceAttr(-1, DeviceAttr.TSC_OFFSET.attr())));
  }

  @ParameterizedTest
  @MethodSource("unknownAttributes")
  void unknownAttributeIsRefused(DeviceAttr unknown) {
    Vcpu vcpu = vcpus.getFirst();
    TscOffset before = new TscOffset(12_345);
    vcpu.setTscOffset(before);

    assertAll(
        () ->
            assertRefused(
                Errno.ENXIO, vcpu.tryHasDeviceAttr(unknown), "KVM_HAS_DEVICE_ATTR of " + unknown),
        () ->
            assertRefused(
                Errno.ENXIO, vcpu.tryGetDeviceAttr(unknown), "KVM_GET_DEVICE_ATTR of " + unknown),
        () ->
            assertRefused(
                Errno.ENXIO,
                vcpu.trySetDeviceAttrTo(unknown, 1),
                "KVM_SET_DEVICE_ATTR of " + unknown),
        () -> assertEquals(before, vcpu.getTscOffset(), vcpu + ": offset after the refusals"));
  }

  /**
   * Not the last page of the address space: up to 6.1 such an address comes back as an errno of its
   * own.
   */
  static Stream<Arguments> badAddresses() {
    return Stream.of(
        argumentSet("address 0", 0L),
        argumentSet("address 1", 1L),
        argumentSet("address 2^63", 1L << 63));
  }

  @ParameterizedTest
  @MethodSource("badAddresses")
  void badAddressIsRefused(long address) {
    Vcpu vcpu = vcpus.getFirst();
    TscOffset before = new TscOffset(-54_321);
    vcpu.setTscOffset(before);

    String where = " with address 0x%x".formatted(address);
    assertAll(
        () ->
            assertRefused(
                Errno.EFAULT,
                vcpu.tryGetDeviceAttr(DeviceAttr.TSC_OFFSET, address),
                "KVM_GET_DEVICE_ATTR" + where),
        () ->
            assertRefused(
                Errno.EFAULT,
                vcpu.trySetDeviceAttr(DeviceAttr.TSC_OFFSET, address),
                "KVM_SET_DEVICE_ATTR" + where),
        () -> assertEquals(before, vcpu.getTscOffset(), vcpu + ": offset after the refusals"));
  }
}
