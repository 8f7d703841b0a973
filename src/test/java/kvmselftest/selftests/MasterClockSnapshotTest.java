package kvmselftest.selftests;

import static kvmselftest.selftests.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import kvmselftest.Requires;
import kvmselftest.guest.Guest;
import kvmselftest.kvm.ClockData;
import kvmselftest.kvm.DeviceAttr;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Requirement;
import kvmselftest.kvm.TscOffset;
import kvmselftest.kvm.Vcpu;
import kvmselftest.probe.Behaviour;
import kvmselftest.sys.Errno;
import kvmselftest.sys.NativeThread;
import kvmselftest.x86.Msr;
import kvmselftest.x86.PvclockPage;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The master clock's snapshot, a TSC and the kvmclock of that moment, is in every pvclock page. A
 * new one is taken when something asks for it and not otherwise: the host's clock and the guest's
 * TSC drift apart, so that each moves kvmclock a little ("KVM: x86: Don't unnecessarily force
 * masterclock update on vCPU hotplug", c52ffadc65e2, tells what becomes of it in days).
 */
@Tag("selftest")
@Requires({
  Requirement.KVM,
  Requirement.TSC_OFFSET,
  Requirement.CLOCK_REALTIME,
  Requirement.TSC_CLOCKSOURCE
})
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class MasterClockSnapshotTest {
  private static final int VCPUS = 3;
  private static final int REPETITIONS = 100;
  private static final TscOffset OFFSET = new TscOffset(5_000_000_000_000L);
  private static final TscOffset OTHER = new TscOffset(-5_000_000_000_000L);

  private final Kvm kvm = Kvm.open();
  private final KvmclockVm clocks = new KvmclockVm(kvm, VCPUS);

  @AfterAll
  void close() {
    clocks.close();
    kvm.close();
  }

  static Stream<Arguments> triggers() {
    return Stream.of(
        trigger("KVM_RUN", MasterClockSnapshotTest::runAgainAndAgain),
        trigger("KVM_GET_CLOCK", clocks -> repeat(() -> clocks.vm().getClock())),
        trigger("MSRs read by the host", MasterClockSnapshotTest::hostReadsMsrs),
        trigger("MSRs read by the guest", MasterClockSnapshotTest::guestReadsMsrs),
        trigger("TSC offsets read", clocks -> clocks.vcpus().forEach(Vcpu::getTscOffset)),
        trigger("MSR_KVM_SYSTEM_TIME_NEW written by the host", MasterClockSnapshotTest::hostWrites),
        trigger(
            "MSR_KVM_SYSTEM_TIME_NEW written by the guest",
            clocks -> clocks.vcpus().forEach(clocks.guest()::enableKvmclock)),
        trigger("calls that are refused", MasterClockSnapshotTest::makeCallsThatAreRefused));
  }

  private static Arguments trigger(String name, Consumer<KvmclockVm> action) {
    return argumentSet(name, action);
  }

  private static void repeat(Runnable action) {
    for (int i = 0; i < REPETITIONS; i++) {
      action.run();
    }
  }

  private static void runAgainAndAgain(KvmclockVm clocks) {
    Vcpu vcpu = clocks.vcpu(1);
    int unchanged = 0;
    for (int i = 0; i < REPETITIONS; i++) {
      int version = clocks.page(vcpu).version();
      clocks.guest().run(vcpu);
      unchanged += clocks.page(vcpu).version() == version ? 1 : 0;
    }
    assertTrue(
        unchanged > 0, "%s: each of %d plain KVM_RUNs wrote its page".formatted(vcpu, REPETITIONS));
  }

  private static void hostReadsMsrs(KvmclockVm clocks) {
    for (Vcpu vcpu : clocks.vcpus()) {
      for (Msr msr : List.of(Msr.IA32_TSC, Msr.IA32_TSC_ADJUST, Msr.KVM_SYSTEM_TIME_NEW)) {
        vcpu.getMsr(msr);
      }
    }
  }

  private static void guestReadsMsrs(KvmclockVm clocks) {
    for (Vcpu vcpu : clocks.vcpus()) {
      for (Msr msr : List.of(Msr.IA32_TSC, Msr.IA32_TSC_ADJUST, Msr.KVM_SYSTEM_TIME_NEW)) {
        clocks.guest().readMsr(vcpu, msr);
      }
    }
  }

  private static void hostWrites(KvmclockVm clocks) {
    for (Vcpu vcpu : clocks.vcpus()) {
      vcpu.setMsr(Msr.KVM_SYSTEM_TIME_NEW, Guest.pvclockGpa(vcpu.index()) | 1);
    }
  }

  private static void makeCallsThatAreRefused(KvmclockVm clocks) {
    Vcpu vcpu = clocks.vcpu(0);
    assertRefused(
        Errno.EINVAL,
        clocks.vm().trySetClock(ClockData.ofClock(1).withFlags(1)),
        "KVM_SET_CLOCK with flags 0x1");
    assertRefused(
        Errno.EFAULT,
        vcpu.trySetDeviceAttr(DeviceAttr.TSC_OFFSET, 1),
        "KVM_SET_DEVICE_ATTR with address 1");
  }

  @ParameterizedTest
  @MethodSource("triggers")
  void nothingElseTakesANewSnapshot(Consumer<KvmclockVm> trigger) {
    List<PvclockPage> before = settled();

    trigger.accept(clocks);
    clocks.runAll();

    assertKept(before);
  }

  @Test
  void movingToAnotherCpuTakesNoNewSnapshot() {
    List<Integer> cpus = NativeThread.allowedCpus();
    assumeTrue(cpus.size() > 1, "one CPU only: a vCPU cannot be moved to another");
    List<PvclockPage> before = settled();

    try {
      for (int cpu : cpus) {
        NativeThread.allowCpus(List.of(cpu));
        clocks.runAll();
        assertKept(before);
      }
    } finally {
      NativeThread.allowCpus(cpus);
    }
  }

  /** There each CPU's TSC may be another, for all that KVM knows. */
  @Test
  void movingToAnotherCpuWritesThePageWithoutMasterClock() {
    List<Integer> cpus = NativeThread.allowedCpus();
    assumeTrue(cpus.size() > 1, "one CPU only: a vCPU cannot be moved to another");
    assumeTrue(
        KvmclockVm.flagsOfUnequalOffsets() == 0,
        "the master clock is on with unequal offsets, too");
    settled();
    clocks.vcpu(0).setTscOffset(OTHER);
    try {
      NativeThread.allowCpus(List.of(cpus.getFirst()));
      clocks.runAll();
      clocks.runAll();
      for (int cpu : List.of(cpus.getLast(), cpus.getFirst())) {
        List<PvclockPage> before = clocks.pages();
        NativeThread.allowCpus(List.of(cpu));
        clocks.runAll();
        for (Vcpu vcpu : clocks.vcpus()) {
          PvclockPage old = before.get(vcpu.index());
          PvclockPage now = clocks.page(vcpu);
          assertTrue(
              now.version() != old.version() && now.tscTimestamp() - old.tscTimestamp() > 0,
              () ->
                  "%s: its page after it ran on CPU %d, another than before: %s became %s"
                      .formatted(vcpu, cpu, old, now));
        }
      }
    } finally {
      NativeThread.allowCpus(cpus);
    }
  }

  /** The pages with a snapshot of their own, and nothing put off. */
  private List<PvclockPage> settled() {
    clocks.settleOffsets(OFFSET, 0);
    clocks.setClock(Duration.ofHours(1).toNanos());
    clocks.runAll();
    return clocks.pages();
  }

  private void assertKept(List<PvclockPage> before) {
    for (Vcpu vcpu : clocks.vcpus()) {
      assertKept(vcpu, before.get(vcpu.index()), clocks.page(vcpu));
    }
    ClockData got = clocks.vm().getClock();
    KvmclockVm.assertMasterClock(true, "afterwards", got);
    clocks.assertPagesGive(got, "afterwards");
  }

  /** A page may be written again, with the same content. */
  private static void assertKept(Vcpu vcpu, PvclockPage before, PvclockPage after) {
    assertEquals(
        before,
        new PvclockPage(
            before.version(),
            after.tscTimestamp(),
            after.systemTime(),
            after.tscToSystemMul(),
            after.tscShift(),
            after.flags()),
        () -> "%s: its page apart from the version, %s".formatted(vcpu, after));
    boolean written = before.version() != after.version();
    assertTrue(
        (after.version() & 1) == 0 && (!written || after.version() - before.version() > 0),
        () -> "%s: version of %s, which was %s".formatted(vcpu, after, before));
  }

  @Test
  void vcpuThatIsAddedSharesTheClockOfThoseThatRun(TestReporter reporter) {
    boolean kept = Behaviour.MC_HOTPLUG.is("kept");
    try (KvmclockVm growing = new KvmclockVm(kvm, 1)) {
      Vcpu first = growing.vcpu(0);
      growing.setClock(Duration.ofHours(1).toNanos());
      growing.runAll();
      for (int i = 1; i <= VCPUS; i++) {
        PvclockPage before = growing.page(first);

        Vcpu added = growing.createVcpu();
        growing.guest().enableKvmclock(added);
        growing.runAll();

        String when = "after %s was added".formatted(added);
        PvclockPage after = growing.page(first);
        assertEquals(
            kept,
            before.tscTimestamp() == after.tscTimestamp(),
            () ->
                "%s of vCPU 0's page %s: %s became %s"
                    .formatted(Behaviour.MC_HOTPLUG.key(), when, before, after));
        assertEquals(first.getTscOffset(), added.getTscOffset(), () -> "offset of " + added);
        TscOffset offset = first.getTscOffset();
        reporter.publishEntry(when + ": " + assertSmallJump(before, offset, after, offset));
        growing.assertStableBit(true, when);
        KvmclockVm.assertMasterClock(true, when, growing.vm().getClock());
        growing.assertPagesGive(growing.vm().getClock(), when);
      }
    }
  }

  @Test
  void newSnapshotContinuesTheOldOne(TestReporter reporter) throws InterruptedException {
    List<PvclockPage> before = settled();
    Thread.sleep(2); // the longer, the further kvmclock may drift; and the more a wrong rate shows

    clocks.settleOffsets(OTHER, 1);

    for (Vcpu vcpu : clocks.vcpus()) {
      PvclockPage old = before.get(vcpu.index());
      PvclockPage now = clocks.page(vcpu);
      assertTrue(
          old.tscTimestamp() - OFFSET.ticks() != now.tscTimestamp() - OTHER.ticks(),
          () -> "%s: no new snapshot for new offsets: %s became %s".formatted(vcpu, old, now));
      reporter.publishEntry(vcpu + ": " + assertSmallJump(old, OFFSET, now, OTHER));
    }
    clocks.assertStableBit(true, "with new offsets");
    clocks.assertPagesGive(clocks.vm().getClock(), "with new offsets");
  }

  /** At the moment of the new snapshot, by the old page and by the new one. */
  private static String assertSmallJump(
      PvclockPage old, TscOffset oldOffset, PvclockPage now, TscOffset offset) {
    long hostTsc = now.tscTimestamp() - offset.ticks();
    long byOld = old.nanosAt(oldOffset.guestTsc(hostTsc));
    long drift = KvmclockVm.drift(byOld - old.systemTime());
    String observation =
        "kvmclock jumped by %+d ns, %d ns after the old snapshot; it may drift by %d ns"
            .formatted(now.systemTime() - byOld, byOld - old.systemTime(), drift);
    assertTrue(
        Math.abs(now.systemTime() - byOld) <= drift,
        () -> "%s: %s became %s".formatted(observation, old, now));
    return observation;
  }
}
