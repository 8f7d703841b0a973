package kvmselftest.selftests;

import static kvmselftest.selftests.Refusal.assertAccepted;
import static kvmselftest.selftests.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.stream.Stream;
import kvmselftest.Requires;
import kvmselftest.guest.ClockGuest;
import kvmselftest.guest.Guest;
import kvmselftest.kvm.ClockData;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Requirement;
import kvmselftest.kvm.TscOffset;
import kvmselftest.kvm.Vcpu;
import kvmselftest.sys.Errno;
import kvmselftest.x86.Msr;
import kvmselftest.x86.PvclockPage;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * KVM_KVMCLOCK_CTRL (api.rst, section 4.80) tells a guest that it was stopped, by
 * PVCLOCK_GUEST_STOPPED in its pvclock page: at the vCPU's next KVM_RUN, once for each call, on
 * that vCPU alone, and without touching the time. The guest clears the flag; memory is memory, so
 * here the host does that for it.
 *
 * <p>Upstream has no test of it.
 */
@Tag("selftest")
@Requires({Requirement.KVM, Requirement.TSC_OFFSET, Requirement.TSC_CLOCKSOURCE})
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class KvmclockCtrlTest {
  private static final int VCPUS = 3;
  private static final TscOffset OFFSET = new TscOffset(77_000_000_000L);

  /** kvmclock when a test begins, ns. */
  private static final long BEGIN = 3_600_000_000_000L;

  private static final int FLAGS_AT = 29;
  private static final long ENABLED = 1;

  private final Kvm kvm = Kvm.open();
  private final ClockGuest guest = ClockGuest.load(kvm);
  private final Vcpu[] vcpus = new Vcpu[VCPUS];

  @BeforeAll
  void engageMasterClock() {
    for (int i = 0; i < VCPUS; i++) {
      vcpus[i] = guest.createVcpu(i);
    }
    for (Vcpu vcpu : vcpus) {
      vcpu.setTscOffset(OFFSET);
    }
    for (Vcpu vcpu : vcpus) {
      guest.enableKvmclock(vcpu);
    }
  }

  @AfterAll
  void close() {
    guest.close();
    kvm.close();
  }

  /** kvmclock on, pages up to date, no stop told or yet to be told. */
  private void begin() {
    for (Vcpu vcpu : vcpus) {
      vcpu.setMsr(Msr.KVM_SYSTEM_TIME_NEW, Guest.pvclockGpa(vcpu.index()) | ENABLED);
    }
    setClockAndRun(BEGIN);
    for (Vcpu vcpu : vcpus) {
      clearStopped(vcpu);
    }
  }

  /** Makes KVM write all pages anew. */
  private void setClockAndRun(long clock) {
    guest.vm().setClock(ClockData.ofClock(clock));
    for (Vcpu vcpu : vcpus) {
      guest.run(vcpu);
    }
  }

  private MemorySegment page(int index) {
    return guest.vm().memory().segment().asSlice(Guest.pvclockGpa(index), PvclockPage.SIZE);
  }

  private byte[] bytes(int index) {
    return page(index).toArray(ValueLayout.JAVA_BYTE);
  }

  private void clearStopped(Vcpu vcpu) {
    int flags = guest.pvclockPage(vcpu).flags() & ~PvclockPage.GUEST_STOPPED;
    page(vcpu.index()).set(ValueLayout.JAVA_BYTE, FLAGS_AT, (byte) flags);
  }

  private boolean stopped(Vcpu vcpu) {
    return guest.pvclockPage(vcpu).has(PvclockPage.GUEST_STOPPED);
  }

  private static String call(Vcpu vcpu) {
    return "KVM_KVMCLOCK_CTRL on " + vcpu;
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2})
  void nextRunSetsTheFlagWhichStaysUntilTheGuestClearsIt(int index, TestReporter reporter) {
    begin();
    Vcpu vcpu = vcpus[index];
    PvclockPage before = guest.pvclockPage(vcpu);
    byte[][] pages = {bytes(0), bytes(1), bytes(2)};

    assertAccepted(vcpu.tryKvmclockCtrl(), call(vcpu));
    assertArrayEquals(pages[index], bytes(index), () -> call(vcpu) + ": page before KVM_RUN");

    guest.run(vcpu);
    PvclockPage after = guest.pvclockPage(vcpu);
    String observation = "%s: page %s, after KVM_RUN %s".formatted(call(vcpu), before, after);
    reporter.publishEntry(observation);
    assertStoppedAndElseUnchanged(before, after, observation);
    assertOthers(pages, vcpu, "and KVM_RUN of that vCPU");

    setClockAndRun(2 * BEGIN);
    assertEquals(
        before.flags() | PvclockPage.GUEST_STOPPED,
        guest.pvclockPage(vcpu).flags(),
        () -> call(vcpu) + ": flags after KVM_SET_CLOCK and KVM_RUN, not cleared by the guest");
    assertOthersAreNotStopped(vcpu);

    clearStopped(vcpu);
    setClockAndRun(3 * BEGIN);
    assertEquals(
        before.flags(),
        guest.pvclockPage(vcpu).flags(),
        () -> call(vcpu) + ": flags after the guest cleared it, KVM_SET_CLOCK and KVM_RUN");
  }

  /** The time is that of the master clock's last update: unchanged to the bit. */
  private void assertStoppedAndElseUnchanged(
      PvclockPage before, PvclockPage after, String observation) {
    assertTrue(before.has(PvclockPage.TSC_STABLE), () -> observation + ": no master clock");
    PvclockPage expected =
        new PvclockPage(
            after.version(),
            before.tscTimestamp(),
            before.systemTime(),
            before.tscToSystemMul(),
            before.tscShift(),
            before.flags() | PvclockPage.GUEST_STOPPED);
    assertEquals(expected, after, observation);
    int grown = after.version() - before.version();
    assertTrue(
        grown > 0 && after.version() % 2 == 0,
        () -> "%s: version is to grow and be even".formatted(observation));
    ClockData clock = guest.vm().getClock();
    assertEquals(
        clock.clock(),
        after.nanosAt(OFFSET.guestTsc(clock.hostTsc())),
        () -> "%s: page at the host TSC of KVM_GET_CLOCK, %s".formatted(observation, clock));
  }

  private void assertOthers(byte[][] pages, Vcpu vcpu, String when) {
    for (Vcpu other : vcpus) {
      if (other != vcpu) {
        assertArrayEquals(
            pages[other.index()],
            bytes(other.index()),
            () -> "page of %s after %s %s".formatted(other, call(vcpu), when));
      }
    }
  }

  private void assertOthersAreNotStopped(Vcpu vcpu) {
    for (Vcpu other : vcpus) {
      assertEquals(
          other == vcpu,
          stopped(other),
          () -> "PVCLOCK_GUEST_STOPPED of %s after %s".formatted(other, call(vcpu)));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2})
  void severalCallsBeforeRunSetTheFlagOnceAndTheNextCallAgain(int index) {
    begin();
    Vcpu vcpu = vcpus[index];
    assertAccepted(vcpu.tryKvmclockCtrl(), call(vcpu));
    assertAccepted(vcpu.tryKvmclockCtrl(), call(vcpu) + " again");
    guest.run(vcpu);
    assertTrue(stopped(vcpu), () -> call(vcpu) + " twice, KVM_RUN: PVCLOCK_GUEST_STOPPED");

    clearStopped(vcpu);
    setClockAndRun(2 * BEGIN);
    assertFalse(
        stopped(vcpu),
        () ->
            call(vcpu) + " twice, KVM_RUN, cleared, KVM_RUN: PVCLOCK_GUEST_STOPPED a second time");

    assertAccepted(vcpu.tryKvmclockCtrl(), call(vcpu) + " later");
    guest.run(vcpu);
    assertTrue(stopped(vcpu), () -> call(vcpu) + " later, KVM_RUN: PVCLOCK_GUEST_STOPPED");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2})
  void withoutKvmclockItIsRefusedAndLeavesNothing(int index) {
    begin();
    Vcpu vcpu = vcpus[index];
    vcpu.setMsr(Msr.KVM_SYSTEM_TIME_NEW, Guest.pvclockGpa(index)); // not enabled
    guest.run(vcpu);
    byte[] page = bytes(index);

    assertRefused(Errno.EINVAL, vcpu.tryKvmclockCtrl(), call(vcpu) + " while kvmclock is off");

    setClockAndRun(2 * BEGIN);
    assertArrayEquals(page, bytes(index), () -> vcpu + ": page while kvmclock is off");
    vcpu.setMsr(Msr.KVM_SYSTEM_TIME_NEW, Guest.pvclockGpa(index) | ENABLED);
    guest.run(vcpu);
    assertEquals(
        2 * BEGIN,
        guest.pvclockPage(vcpu).systemTime(),
        () -> vcpu + ": page's system_time once kvmclock is on again");
    assertFalse(stopped(vcpu), () -> call(vcpu) + " was refused: PVCLOCK_GUEST_STOPPED after all");
  }

  static Stream<Arguments> indices() {
    return Stream.of(
        argumentSet("MSR_KVM_SYSTEM_TIME_NEW", Msr.KVM_SYSTEM_TIME_NEW),
        argumentSet("MSR_KVM_SYSTEM_TIME", Msr.KVM_SYSTEM_TIME));
  }

  @ParameterizedTest
  @MethodSource("indices")
  void pendingStopIsToldInTheNextPageThatTheHostEnables(Msr msr, TestReporter reporter) {
    begin();
    for (Vcpu vcpu : vcpus) {
      int index = vcpu.index();
      int elsewhere = index + VCPUS; // the page of a vCPU that there is not
      page(elsewhere).fill((byte) 0);
      assertAccepted(vcpu.tryKvmclockCtrl(), call(vcpu));
      vcpu.setMsr(msr, 0);
      byte[] page = bytes(index);
      guest.run(vcpu);
      assertRefused(Errno.EINVAL, vcpu.tryKvmclockCtrl(), call(vcpu) + " once kvmclock is off");

      vcpu.setMsr(msr, Guest.pvclockGpa(elsewhere) | ENABLED);
      guest.run(vcpu);

      PvclockPage found = guest.pvclockPage(elsewhere);
      String observation =
          "%s, kvmclock off, KVM_RUN, %s to another page, KVM_RUN: %s"
              .formatted(call(vcpu), msr, found);
      reporter.publishEntry(observation);
      assertArrayEquals(page, bytes(index), () -> observation + "; the page before is written");
      assertEquals(PvclockPage.TSC_STABLE | PvclockPage.GUEST_STOPPED, found.flags(), observation);
      assertEquals(BEGIN, found.systemTime(), observation);
      assertEquals(
          Guest.pvclockGpa(elsewhere) | ENABLED,
          vcpu.getMsr(msr),
          () -> "KVM_GET_MSRS of %s on %s".formatted(msr, vcpu));
      page(elsewhere).set(ValueLayout.JAVA_BYTE, FLAGS_AT, (byte) PvclockPage.TSC_STABLE);
    }
  }
}
