package kvmselftest.selftests;

import static kvmselftest.selftests.Refusal.assertAccepted;
import static kvmselftest.selftests.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import kvmselftest.Requires;
import kvmselftest.guest.ClockGuest;
import kvmselftest.kvm.ClockData;
import kvmselftest.kvm.DeviceAttr;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Requirement;
import kvmselftest.kvm.TimedCalls;
import kvmselftest.kvm.TscOffset;
import kvmselftest.kvm.Vcpu;
import kvmselftest.kvm.Vm;
import kvmselftest.sys.Errno;
import kvmselftest.x86.ErrorBounds;
import kvmselftest.x86.HostTsc;
import kvmselftest.x86.Msr;
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
@Requires({Requirement.KVM, Requirement.TSC_OFFSET, Requirement.TSC_STABLE})
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TscOffsetAttributeTest {
  private static final int VCPUS = 4;

  /** How often a clock is read whose errors are to be bounded. */
  private static final int SAMPLES = 50;

  private final Kvm kvm = Kvm.open();
  private final ClockGuest guest = ClockGuest.load(kvm);
  private final Vm vm = guest.vm();
  private List<Vcpu> vcpus;

  @BeforeAll
  void createVcpus() {
    vcpus = IntStream.range(0, VCPUS).mapToObj(guest::createVcpu).toList();
  }

  @AfterAll
  void close() {
    guest.close();
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

  /** An offset of each vCPU's own. */
  private TscOffset own(Vcpu vcpu, long ticks) {
    return new TscOffset(ticks + 1_000_003L * vcpu.index());
  }

  private void setOwn(long ticks) {
    vcpus.forEach(vcpu -> vcpu.setTscOffset(own(vcpu, ticks)));
  }

  private void assertOwn(long ticks, String after) {
    for (Vcpu vcpu : vcpus) {
      assertEquals(
          own(vcpu, ticks), vcpu.getTscOffset(), () -> "offset of %s %s".formatted(vcpu, after));
    }
  }

  @Test
  void randomOffsetsAreReadBackOnEveryVcpu(TestReporter reporter) {
    long seed = System.nanoTime();
    reporter.publishEntry("seed " + seed);
    Random random = new Random(seed);
    for (int i = 0; i < SAMPLES; i++) {
      long ticks = random.nextLong();
      setOwn(ticks);
      assertOwn(ticks, "where random ones were written, with seed " + seed);
    }
  }

  @Test
  void offsetWrittenAgainIsReadBack() {
    for (long ticks : new long[] {-777_777_777_777L, 5}) {
      setOwn(ticks);
      setOwn(ticks);
      assertOwn(ticks, "written twice");
      for (Vcpu vcpu : vcpus) {
        vcpu.setTscOffset(own(vcpu, ticks));
        vcpu.setTscOffset(own(vcpu, ticks));
      }
      assertOwn(ticks, "written four times");
    }
  }

  @Test
  void offsetsWrittenInAlternationAreReadBack() {
    for (Vcpu one : vcpus) {
      Vcpu other = vcpus.get((one.index() + 1) % VCPUS);
      for (long ticks : new long[] {-1, 1L << 40, Long.MIN_VALUE, 0}) {
        setOwn(3);
        one.setTscOffset(new TscOffset(ticks));
        other.setTscOffset(new TscOffset(~ticks));
        one.setTscOffset(new TscOffset(ticks + 1));
        other.setTscOffset(new TscOffset(ticks));
        assertEquals(new TscOffset(ticks + 1), one.getTscOffset(), () -> "offset of " + one);
        assertEquals(new TscOffset(ticks), other.getTscOffset(), () -> "offset of " + other);
      }
    }
  }

  /** The host reads IA32_TSC as its own TSC plus the offset, to within what many readings leave. */
  @ParameterizedTest
  @MethodSource("offsets")
  void hostReadsItsTscPlusOffset(Function<Vcpu, Long> ticks, TestReporter reporter) {
    long first = ticks.apply(vcpus.getFirst());
    setOwn(first);
    for (Vcpu vcpu : vcpus) {
      TimedCalls calls = new TimedCalls();
      List<TimedCalls.Timed<Long>> readings = new ArrayList<>();
      for (int i = 0; i < SAMPLES; i++) {
        readings.add(calls.getMsr(vcpu, Msr.IA32_TSC));
      }
      calls.make();

      ErrorBounds bounds = new ErrorBounds("ticks");
      for (TimedCalls.Timed<Long> reading : readings) {
        bounds.add(reading.value(), reading.hostTsc().plus(own(vcpu, first).ticks()));
      }
      assertNoError("host's KVM_GET_MSRS of IA32_TSC", vcpu, first, bounds, reporter);
    }
  }

  @ParameterizedTest
  @MethodSource("offsets")
  void guestReadsHostsTscPlusOffset(Function<Vcpu, Long> ticks, TestReporter reporter) {
    long first = ticks.apply(vcpus.getFirst());
    setOwn(first);
    for (Vcpu vcpu : vcpus) {
      ErrorBounds bounds = new ErrorBounds("ticks");
      for (int i = 0; i < 5; i++) {
        ClockGuest.TscReading reading = guest.readTsc(vcpu);
        bounds.add(reading.guestTsc(), reading.hostTsc().plus(own(vcpu, first).ticks()));
      }
      assertNoError("guest's RDTSC", vcpu, first, bounds, reporter);
    }
    assertOwn(first, "after KVM_RUN on each");
  }

  private void assertNoError(
      String clock, Vcpu vcpu, long ticks, ErrorBounds bounds, TestReporter reporter) {
    String observation =
        "%s on %s against host's TSC and offset %s: %s; detection floor %d ticks, %d ns"
            .formatted(
                clock,
                vcpu,
                own(vcpu, ticks),
                bounds,
                bounds.floor(),
                bounds.floor() * 1_000_000 / vcpu.getTscKhz());
    reporter.publishEntry(Measured.error(observation, clock + " on " + vcpu, bounds));
    assertTrue(bounds.allowNone(), observation + ", which leaves out 0");
  }

  @Test
  void offsetLeavesTscAdjustAlone() {
    vcpus.forEach(vcpu -> vcpu.setMsr(Msr.IA32_TSC_ADJUST, 1_234_567_890_123L + vcpu.index()));
    for (long ticks : new long[] {99, -180_000_000_000L, Long.MIN_VALUE}) {
      setOwn(ticks);
      for (Vcpu vcpu : vcpus) {
        assertEquals(
            1_234_567_890_123L + vcpu.index(),
            vcpu.getMsr(Msr.IA32_TSC_ADJUST),
            () -> "IA32_TSC_ADJUST of %s after offset %s".formatted(vcpu, own(vcpu, ticks)));
      }
    }
  }

  /** What has nothing to do with the TSC does not touch it, and a new vCPU gets its own. */
  @Test
  void offsetsSurviveWhatElseIsDone() {
    long ticks = -321_321_321_321L;
    setOwn(ticks);
    vm.setClock(ClockData.ofClock(1_000_000_000_000L));
    assertOwn(ticks, "after KVM_SET_CLOCK");
    for (Vcpu vcpu : vcpus) {
      guest.run(vcpu);
      assertOwn(ticks, "after KVM_RUN on " + vcpu);
      guest.enableKvmclock(vcpu);
      guest.readKvmclock(vcpu);
      assertOwn(ticks, "after kvmclock was enabled on " + vcpu);
      vcpu.setMsr(Msr.IA32_TSC_ADJUST, 42);
      vcpu.setMsr(Msr.KVM_SYSTEM_TIME_NEW, 0);
      assertOwn(ticks, "after KVM_SET_MSRS of other MSRs on " + vcpu);
    }
    vm.setClock(ClockData.ofClock(1));
    assertOwn(ticks, "after KVM_SET_CLOCK, with all of them run");
    try (Vcpu added = guest.createVcpu(VCPUS)) {
      assertEquals(
          own(vcpus.getLast(), ticks),
          added.getTscOffset(),
          "offset of a new vCPU, against the one last written");
      guest.run(added);
      assertOwn(ticks, "after another vCPU was created and run");
      added.setTscOffset(new TscOffset(5));
      guest.run(added);
      assertOwn(ticks, "after another vCPU's offset was written, and it was run");
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
