package kvmselftest.selftests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.stream.Stream;
import kvmselftest.Requires;
import kvmselftest.guest.ClockGuest;
import kvmselftest.guest.WallClockWrite;
import kvmselftest.kvm.ClockData;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Requirement;
import kvmselftest.kvm.Vcpu;
import kvmselftest.kvm.Vm;
import kvmselftest.probe.Behaviour;
import kvmselftest.x86.CounterWindow;
import kvmselftest.x86.ErrorBounds;
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
 * MSR_KVM_WALL_CLOCK: what KVM writes there and kvmclock together are the host's CLOCK_REALTIME,
 * whatever kvmclock is set to.
 *
 * <p>Upstream's xen_shinfo_test prints the wall clock.
 */
@Tag("selftest")
@Requires({Requirement.KVM, Requirement.CLOCK_REALTIME, Requirement.TSC_CLOCKSOURCE})
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class WallClockTest {
  private static final int VCPUS = 2;
  private static final long NANOS_PER_SECOND = 1_000_000_000;
  private static final long HOUR = 3_600 * NANOS_PER_SECOND;

  /** How often the epoch is compared: each has its own bracket, of which the tightest count. */
  private static final int SAMPLES = 20;

  private static final byte UNTOUCHED = 0x5a;

  /** KVM's words lie in two pages; only a multiple of 4 is asked for. */
  private static final long ACROSS_PAGES = ClockGuest.SPARE_PAGE + 0xffc;

  private static final long IN_PAGE = ClockGuest.SPARE_PAGE + 0x3458;

  private final Kvm kvm = Kvm.open();
  private final ClockGuest guest = ClockGuest.load(kvm);
  private final Vm vm = guest.vm();
  private final Vcpu[] vcpus = new Vcpu[VCPUS];

  @BeforeAll
  void createVcpus() {
    for (int i = 0; i < VCPUS; i++) {
      vcpus[i] = guest.createVcpu(i);
    }
    for (Vcpu vcpu : vcpus) {
      guest.run(vcpu);
    }
    setClock(HOUR);
  }

  /** With the master clock, by which KVM_GET_CLOCK gives realtime too. */
  private void setClock(long nanos) {
    vm.setClock(ClockData.ofClock(nanos));
    for (Vcpu vcpu : vcpus) {
      guest.run(vcpu);
    }
  }

  @AfterAll
  void close() {
    guest.close();
    kvm.close();
  }

  static Stream<Arguments> indices() {
    return Stream.of(
        argumentSet("MSR_KVM_WALL_CLOCK_NEW on vCPU 0", Msr.KVM_WALL_CLOCK_NEW, 0),
        argumentSet("MSR_KVM_WALL_CLOCK on vCPU 1", Msr.KVM_WALL_CLOCK, 1));
  }

  @ParameterizedTest
  @MethodSource("indices")
  void epochAndKvmclockAreRealtime(Msr msr, int index, TestReporter reporter) {
    for (long clock : new long[] {HOUR, 0, 24 * HOUR + 123_456_789}) {
      setClock(clock);
      ErrorBounds bounds = new ErrorBounds("ns");
      for (int i = 0; i < SAMPLES; i++) {
        addEpoch(WallClockWrite.byHost(vcpus[index], msr, IN_PAGE), bounds);
      }
      String observation =
          "%s by KVM_SET_MSRS on %s, kvmclock set to %d ns, %s: epoch's %s, floor %d ns"
              .formatted(
                  msr,
                  vcpus[index],
                  clock,
                  Behaviour.WALL_CLOCK_EPOCH.seen(),
                  bounds,
                  bounds.floor());
      reporter.publishEntry(Measured.error(observation, "epoch", bounds));
      assertTrue(bounds.allowNone(), () -> msr + ": wall clock's " + bounds);
    }
  }

  @ParameterizedTest
  @MethodSource("indices")
  void epochThatTheGuestAsksForIsTheSame(Msr msr, int index, TestReporter reporter) {
    setClock(7 * HOUR);
    ErrorBounds bounds = new ErrorBounds("ns");
    for (int i = 0; i < 3; i++) {
      addEpoch(WallClockWrite.byGuest(guest, vcpus[index], msr, IN_PAGE), bounds);
    }
    String observation = "%s by WRMSR on %s: epoch's %s".formatted(msr, vcpus[index], bounds);
    reporter.publishEntry(Measured.error(observation, "epoch", bounds));
    assertTrue(bounds.allowNone(), () -> msr + " by WRMSR: wall clock's " + bounds);
  }

  private static void addEpoch(WallClockWrite write, ErrorBounds bounds) {
    CounterWindow expected =
        Behaviour.WALL_CLOCK_EPOCH.is("one-reading") ? write.ofOneReading() : write.ofTwoReadings();
    assertTrue(
        write.before().has(ClockData.ALL_FLAGS) && write.after().has(ClockData.ALL_FLAGS),
        () -> "KVM_GET_CLOCK is to have all flags: " + write);
    assertEquals(0, write.version() % 2, () -> "version is to be even: " + write);
    assertTrue(
        Integer.compareUnsigned(write.nsec(), (int) NANOS_PER_SECOND) < 0,
        () -> "nsec is to be less than a second: " + write);
    assertTrue(
        expected.contains(write.epoch()),
        () ->
            "epoch %d ns, expected realtime - kvmclock, %s: %s"
                .formatted(write.epoch(), expected, write));
    bounds.add(write.epoch(), expected);
  }

  static Stream<Arguments> places() {
    return Stream.of(
        argumentSet("in a page, version 0", IN_PAGE, 0, 2),
        argumentSet("in a page, version 5 left odd", IN_PAGE, 5, 8),
        argumentSet("across two pages, version 4", ACROSS_PAGES, 4, 6),
        argumentSet("across two pages, version 2^32 - 2", ACROSS_PAGES, -2, 0));
  }

  /** The version is even, and another one, for a guest that was reading. */
  @ParameterizedTest
  @MethodSource("places")
  void nothingButTheTwelveBytesIsWritten(long gpa, int versionBefore, int version) {
    MemorySegment spare = spareMemory();
    spare.fill(UNTOUCHED);
    long at = gpa - ClockGuest.SPARE_PAGE;
    spare.set(ValueLayout.JAVA_INT, at, versionBefore);

    WallClockWrite write = WallClockWrite.byHost(vcpus[0], Msr.KVM_WALL_CLOCK_NEW, gpa);

    assertEquals(version, write.version(), () -> "version after " + versionBefore + ": " + write);
    spare.asSlice(at, WallClockWrite.SIZE).fill(UNTOUCHED);
    assertUntouched(spare, "beside the 12 bytes");
  }

  private MemorySegment spareMemory() {
    return vm.memory().segment().asSlice(ClockGuest.SPARE_PAGE);
  }

  private static void assertUntouched(MemorySegment memory, String where) {
    byte[] untouched = new byte[(int) memory.byteSize()];
    long at = memory.mismatch(MemorySegment.ofArray(untouched).fill(UNTOUCHED));
    assertEquals(-1, at, () -> "KVM wrote %s, at offset 0x%x".formatted(where, at));
  }

  @Test
  void wallClockIsWrittenWhenTheMsrIsAndNeverElse() {
    WallClockWrite.byHost(vcpus[0], Msr.KVM_WALL_CLOCK_NEW, IN_PAGE);
    MemorySegment spare = spareMemory();
    spare.fill(UNTOUCHED);

    setClock(9 * HOUR);
    assertUntouched(spare, "at the former address after KVM_SET_CLOCK and KVM_RUN");

    WallClockWrite.byHost(vcpus[1], Msr.KVM_WALL_CLOCK, ACROSS_PAGES);
    spare.asSlice(ACROSS_PAGES - ClockGuest.SPARE_PAGE, WallClockWrite.SIZE).fill(UNTOUCHED);
    assertUntouched(spare, "at the former address when there was a new one");
  }

  @Test
  void addressIsReadBackByBothIndicesOnEveryVcpu() {
    for (long gpa : new long[] {IN_PAGE, ACROSS_PAGES, 0}) {
      vcpus[1].setMsr(Msr.KVM_WALL_CLOCK_NEW, gpa);
      assertReadBack(gpa, "KVM_SET_MSRS on " + vcpus[1]);
    }
  }

  private void assertReadBack(long gpa, String write) {
    for (Vcpu vcpu : vcpus) {
      for (Msr msr : new Msr[] {Msr.KVM_WALL_CLOCK_NEW, Msr.KVM_WALL_CLOCK}) {
        assertEquals(
            "0x%x".formatted(gpa),
            "0x%x".formatted(vcpu.getMsr(msr)),
            () -> "KVM_GET_MSRS of %s on %s after %s".formatted(msr, vcpu, write));
      }
    }
  }

  /** The guest has no memory there, but has some at the address that the low 32 bits are. */
  @ParameterizedTest
  @MethodSource("indices")
  void addressAboveFourGibibytesIsTakenAndReadBackWithAllItsBits(Msr msr, int index) {
    Vcpu vcpu = vcpus[index];
    for (long gpa : new long[] {(1L << 32) + IN_PAGE, (1L << 51) + IN_PAGE}) {
      String what = " of %s to 0x%x on %s".formatted(msr, gpa, vcpu);
      assertTakenWithAllItsBits(gpa, () -> vcpu.setMsr(msr, gpa), "KVM_SET_MSRS" + what);
      assertTakenWithAllItsBits(gpa, () -> guest.writeMsr(vcpu, msr, gpa), "WRMSR" + what);
    }
  }

  private void assertTakenWithAllItsBits(long gpa, Runnable write, String call) {
    vcpus[0].setMsr(Msr.KVM_WALL_CLOCK_NEW, 0); // so that nothing is left of an earlier write
    MemorySegment spare = spareMemory();
    spare.fill(UNTOUCHED);

    write.run();

    assertUntouched(spare, "below 4 GiB, after " + call);
    assertReadBack(gpa, call);
  }

  @Test
  void addressZeroWritesNothing() {
    MemorySegment start = vm.memory().segment().asSlice(0, 64);
    byte[] before = start.toArray(ValueLayout.JAVA_BYTE);

    vcpus[0].setMsr(Msr.KVM_WALL_CLOCK_NEW, 0);

    assertEquals(
        -1, start.mismatch(MemorySegment.ofArray(before)), "where the memory at GPA 0 changed");
  }
}
