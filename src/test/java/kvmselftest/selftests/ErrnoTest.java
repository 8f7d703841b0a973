package kvmselftest.selftests;

import static kvmselftest.selftests.Refusal.assertAccepted;
import static kvmselftest.selftests.Refusal.assertRefused;
import static kvmselftest.selftests.Refusal.assumeThatMsrsAreRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import kvmselftest.Requires;
import kvmselftest.guest.ClockGuest;
import kvmselftest.kvm.ClockData;
import kvmselftest.kvm.DeviceAttr;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Requirement;
import kvmselftest.kvm.TscOffset;
import kvmselftest.kvm.Vcpu;
import kvmselftest.kvm.Vm;
import kvmselftest.sys.Errno;
import kvmselftest.sys.MemoryEnd;
import kvmselftest.sys.SyscallException;
import kvmselftest.x86.Msr;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What the kernel refuses it refuses with the errno that api.rst and vcpu.rst give, and it then has
 * changed nothing: no vCPU's offset, rate, IA32_TSC_ADJUST or pvclock page, and not kvmclock.
 *
 * <p>Upstream's clock tests have no case that is refused. The attribute on vCPU 0 is
 * TscOffsetAttributeTest's, flags of KVM_SET_CLOCK are KvmClockTest's, rates TscKhzTest's.
 */
@Tag("selftest")
@Requires({Requirement.KVM, Requirement.TSC_OFFSET, Requirement.TSC_CLOCKSOURCE})
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ErrnoTest {
  private static final int VCPUS = 4;

  /** In no manual, and in no kernel's table. */
  private static final int UNKNOWN_MSR = 0xdead_beef;

  private static final int ADJUST = Msr.IA32_TSC_ADJUST.index();

  /** The most entries that KVM_GET_MSRS and KVM_SET_MSRS take (arch/x86/kvm/x86.c). */
  private static final int MOST_MSRS = 255;

  /** What no clock and no offset has here: taken from a structure, it would be noticed. */
  private static final long OTHER_VALUE = 987_654_321_098_765L;

  /** The same of an offset's bytes. */
  private static final byte[] OTHER_OFFSET = {1, 2, 3, 4, 5, 6, 7, 8};

  private static final long PAGE_SIZE = 4096;

  private final Kvm kvm = Kvm.open();
  private final ClockGuest guest = ClockGuest.load(kvm);
  private final List<Vcpu> vcpus = new ArrayList<>();
  private ClockState settled;

  @BeforeAll
  void createVcpus() {
    for (int i = 0; i < VCPUS; i++) {
      vcpus.add(guest.createVcpu(i));
    }
  }

  @BeforeEach
  void settle() {
    settled = ClockState.settle(guest, vcpus);
  }

  @AfterAll
  void close() {
    guest.close();
    kvm.close();
  }

  /** Not the address space's last page, where 6.1's attributes mistake an address for an errno. */
  @ParameterizedTest
  @ValueSource(longs = {0, 1, 1L << 63})
  void badAddressIsRefusedAndChangesNothing(long address) {
    String where = " with address 0x%x".formatted(address);
    assertRefused(Errno.EFAULT, guest.vm().tryGetClock(address), "KVM_GET_CLOCK" + where);
    assertRefused(Errno.EFAULT, guest.vm().trySetClock(address), "KVM_SET_CLOCK" + where);
    assertOffsetIsRefused(address, where);
    settled.assertUnchanged("EFAULT" + where);
  }

  /**
   * @param address of the offset, not of the struct kvm_device_attr
   */
  private void assertOffsetIsRefused(long address, String where) {
    for (Vcpu vcpu : vcpus) {
      assertRefused(
          Errno.EFAULT,
          vcpu.trySetDeviceAttr(DeviceAttr.TSC_OFFSET, address),
          "KVM_SET_DEVICE_ATTR on " + vcpu + where);
      assertRefused(
          Errno.EFAULT,
          vcpu.tryGetDeviceAttr(DeviceAttr.TSC_OFFSET, address),
          "KVM_GET_DEVICE_ATTR on " + vcpu + where);
    }
  }

  /** Where the struct kvm_device_attr itself is, not the address in it. */
  @ParameterizedTest
  @ValueSource(longs = {0, 1, 1L << 63})
  void attributeAtBadAddressIsRefusedAndChangesNothing(long argument) {
    String where = "with its struct kvm_device_attr at 0x%x".formatted(argument);
    assertAttributeIsRefused(argument, where);
    settled.assertUnchanged("EFAULT " + where);
  }

  private void assertAttributeIsRefused(long argument, String where) {
    for (Vcpu vcpu : vcpus) {
      String on = " on %s %s".formatted(vcpu, where);
      assertRefused(Errno.EFAULT, vcpu.tryHasDeviceAttrAt(argument), "KVM_HAS_DEVICE_ATTR" + on);
      assertRefused(Errno.EFAULT, vcpu.tryGetDeviceAttrAt(argument), "KVM_GET_DEVICE_ATTR" + on);
      assertRefused(Errno.EFAULT, vcpu.trySetDeviceAttrAt(argument), "KVM_SET_DEVICE_ATTR" + on);
    }
  }

  /** A part of it can be copied: half a structure must not be taken for one. */
  @ParameterizedTest
  @ValueSource(ints = {1, 16, 47})
  void clockDataAcrossTheEndOfMemoryIsRefusedAndChangesNothing(int beyond) {
    String where = " with %d of 48 bytes beyond the end of memory".formatted(beyond);
    try (MemoryEnd end = new MemoryEnd()) {
      long address = end.put(ClockData.ofClock(OTHER_VALUE).toBytes(), beyond);
      assertRefused(Errno.EFAULT, guest.vm().trySetClock(address), "KVM_SET_CLOCK" + where);
      assertRefused(Errno.EFAULT, guest.vm().tryGetClock(address), "KVM_GET_CLOCK" + where);
    }
    settled.assertUnchanged("EFAULT" + where);
  }

  /** All but the last byte is enough for a good attribute: that byte of an address is 0. */
  @ParameterizedTest
  @ValueSource(ints = {1, 8, 23})
  void attributeAcrossTheEndOfMemoryIsRefusedAndChangesNothing(int beyond) {
    String where = "with %d of 24 bytes of its argument beyond the end of memory".formatted(beyond);
    try (MemoryEnd value = new MemoryEnd();
        MemoryEnd end = new MemoryEnd()) {
      byte[] attribute = DeviceAttr.TSC_OFFSET.toBytes(value.put(OTHER_OFFSET, 0));
      assertAttributeIsRefused(end.put(attribute, beyond), where);
    }
    settled.assertUnchanged("EFAULT " + where);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 4, 7})
  void offsetAcrossTheEndOfMemoryIsRefusedAndChangesNothing(int beyond) {
    String where = " with %d of the offset's 8 bytes beyond the end of memory".formatted(beyond);
    try (MemoryEnd end = new MemoryEnd()) {
      assertOffsetIsRefused(end.put(OTHER_OFFSET, beyond), where);
    }
    settled.assertUnchanged("EFAULT" + where);
  }

  @Test
  void unknownAttributeIsRefusedOnEveryVcpuAndChangesNothing() {
    DeviceAttr attr = new DeviceAttr(DeviceAttr.TSC_CTRL, 42);
    DeviceAttr group = new DeviceAttr(DeviceAttr.TSC_CTRL + 1, DeviceAttr.TSC_OFFSET.attr());
    for (Vcpu vcpu : vcpus) {
      for (DeviceAttr unknown : List.of(attr, group)) {
        String what = " of " + unknown + " on " + vcpu;
        assertRefused(Errno.ENXIO, vcpu.tryHasDeviceAttr(unknown), "KVM_HAS_DEVICE_ATTR" + what);
        assertRefused(Errno.ENXIO, vcpu.tryGetDeviceAttr(unknown), "KVM_GET_DEVICE_ATTR" + what);
        assertRefused(
            Errno.ENXIO, vcpu.trySetDeviceAttrTo(unknown, 1), "KVM_SET_DEVICE_ATTR" + what);
      }
      assertAccepted(
          vcpu.tryHasDeviceAttr(DeviceAttr.TSC_OFFSET),
          "KVM_HAS_DEVICE_ATTR of " + DeviceAttr.TSC_OFFSET + " on " + vcpu);
    }
    settled.assertUnchanged("attributes that are not there were refused");
  }

  @Test
  void paddingOfClockDataIsIgnored() {
    assertAccepted(
        guest.vm().trySetClockWithPadding(ClockData.ofClock(OTHER_VALUE)),
        "KVM_SET_CLOCK with the padding not 0");

    for (Vcpu vcpu : vcpus) {
      guest.run(vcpu);
      assertEquals(
          OTHER_VALUE,
          guest.pvclockPage(vcpu).systemTime(),
          () -> vcpu + ": system_time in the pvclock page after KVM_SET_CLOCK to " + OTHER_VALUE);
    }
  }

  /**
   * All of it, whatever it has to say: nothing of an earlier call stays there, and nothing of the
   * kernel's stack gets there.
   */
  @Test
  void getClockWritesTheWholeStructure() {
    assertWhole(guest.vm().getClockOverOnes(), true, "with equal offsets");

    vcpus.getFirst().setTscOffset(new TscOffset(OTHER_VALUE));
    vcpus.forEach(guest::run);
    assertWhole(
        guest.vm().getClockOverOnes(),
        KvmclockVm.flagsOfUnequalOffsets() != 0,
        "with an offset of its own on " + vcpus.getFirst());

    try (Vm withoutVcpus = kvm.createVm(PAGE_SIZE)) {
      assertWhole(withoutVcpus.getClockOverOnes(), false, "without vCPUs");
    }
  }

  private static void assertWhole(byte[] structure, boolean masterClock, String when) {
    ClockData got = ClockData.ofBytes(structure);
    KvmclockVm.assertMasterClock(masterClock, when + ", into a structure full of ones", got);
    assertEquals(
        HexFormat.of().formatHex(got.toBytes()),
        HexFormat.of().formatHex(structure),
        () ->
            "KVM_GET_CLOCK %s, into a structure full of ones: %s, and its padding is to be 0"
                .formatted(when, got));
  }

  @Test
  void vcpuThatIsThereIsNotCreatedAgain() {
    for (int i = 0; i < VCPUS; i++) {
      assertRefused(Errno.EEXIST, tryCreateVcpu(i), "KVM_CREATE_VCPU " + i + " again");
    }
    settled.assertUnchanged("KVM_CREATE_VCPU of every vCPU again was refused");
  }

  @Test
  void vcpuBeyondTheLastIsNotCreated() {
    assertRefused(Errno.EINVAL, tryCreateVcpu(1 << 20), "KVM_CREATE_VCPU 2^20");
    settled.assertUnchanged("KVM_CREATE_VCPU 2^20 was refused");
  }

  private Optional<Errno> tryCreateVcpu(int index) {
    try (Vcpu _ = guest.vm().createVcpu(index)) {
      return Optional.empty();
    } catch (SyscallException e) {
      return Optional.of(e.errno());
    }
  }

  @Test
  void msrsUpToAnUnknownOneAreReadAndWritten() {
    assumeThatMsrsAreRefused();
    for (Vcpu vcpu : vcpus) {
      long first = 1_000_000_007L * (vcpu.index() + 1);
      long behind = first + 1;

      int written =
          vcpu.setMsrs(new int[] {ADJUST, UNKNOWN_MSR, ADJUST}, new long[] {first, behind, behind});
      List<Long> read = vcpu.getMsrs(ADJUST, UNKNOWN_MSR, ADJUST);
      List<Long> both = vcpu.getMsrs(ADJUST, ADJUST);
      vcpu.setMsr(Msr.IA32_TSC_ADJUST, 0);

      assertEquals(1, written, () -> vcpu + ": KVM_SET_MSRS of three, the second unknown");
      assertEquals(
          List.of(first), read, () -> vcpu + ": KVM_GET_MSRS of three, the second unknown");
      assertEquals(List.of(first, first), both, () -> vcpu + ": KVM_GET_MSRS of one MSR twice");
    }
    settled.assertUnchanged("KVM_SET_MSRS of IA32_TSC_ADJUST, back to 0");
  }

  @Test
  void unknownMsrChangesNothing() {
    assumeThatMsrsAreRefused();
    for (Vcpu vcpu : vcpus) {
      int written =
          vcpu.setMsrs(
              new int[] {UNKNOWN_MSR, Msr.IA32_TSC.index(), ADJUST, Msr.KVM_SYSTEM_TIME.index()},
              new long[] {1, 1, 1, 0});
      assertEquals(0, written, () -> vcpu + ": KVM_SET_MSRS of four, the first unknown");
      assertEquals(
          List.of(), vcpu.getMsrs(UNKNOWN_MSR, ADJUST), () -> vcpu + ": KVM_GET_MSRS of unknown");
      assertEquals(0, vcpu.setMsrs(new int[0], new long[0]), () -> vcpu + ": KVM_SET_MSRS of none");
    }
    settled.assertUnchanged("KVM_SET_MSRS that began with an MSR that is unknown");
  }

  @Test
  void tooManyMsrsAreRefusedAndChangeNothing() {
    Vcpu vcpu = vcpus.getLast();
    int[] many = new int[MOST_MSRS];
    int[] tooMany = new int[MOST_MSRS + 1];
    Arrays.fill(many, ADJUST);
    Arrays.fill(tooMany, ADJUST);
    long[] ones = new long[MOST_MSRS + 1];
    Arrays.fill(ones, 1);

    assertEquals(
        Collections.nCopies(MOST_MSRS, 0L),
        vcpu.getMsrs(many),
        "KVM_GET_MSRS of IA32_TSC_ADJUST, 255 times");
    assertEquals(
        Errno.E2BIG,
        assertThrows(SyscallException.class, () -> vcpu.setMsrs(tooMany, ones)).errno(),
        "KVM_SET_MSRS of 256 MSRs");
    assertEquals(
        Errno.E2BIG,
        assertThrows(SyscallException.class, () -> vcpu.getMsrs(tooMany)).errno(),
        "KVM_GET_MSRS of 256 MSRs");
    settled.assertUnchanged("KVM_SET_MSRS of 256 MSRs was refused");
  }
}
