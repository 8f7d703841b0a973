package kvmselftest.selftests;

import static kvmselftest.selftests.Refusal.assertAccepted;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import kvmselftest.Requires;
import kvmselftest.guest.ClockGuest;
import kvmselftest.kvm.ClockData;
import kvmselftest.kvm.GuestMemory;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.KvmModule;
import kvmselftest.kvm.Requirement;
import kvmselftest.kvm.TimedCalls;
import kvmselftest.kvm.Vcpu;
import kvmselftest.probe.Behaviour;
import kvmselftest.x86.ClockPairing;
import kvmselftest.x86.CounterWindow;
import kvmselftest.x86.ErrorBounds;
import kvmselftest.x86.Msr;
import kvmselftest.x86.PvclockPage;
import kvmselftest.x86.PvclockScale;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A guest whose TSC is to count faster than its host's, on a CPU that does not scale it: KVM
 * catches up in software. Before the guest is entered its offset is moved forward to where its TSC
 * would be by the time since it was written; until the next entry it counts at the host's rate
 * ({@code set_tsc_khz()}, {@code compute_guest_tsc()} and {@code kvm_guest_time_update()} in
 * arch/x86/kvm/x86.c, {@code tsc_always_catchup}). No upstream selftest runs such a guest.
 *
 * <p>With the master clock on, the time up to which KVM catches up is that of its last snapshot, so
 * that only a new one, as KVM_SET_CLOCK takes, moves the offset. With the master clock off it is
 * the time of the entry.
 */
@Tag("selftest")
@Requires({
  Requirement.KVM,
  Requirement.TSC_OFFSET,
  Requirement.TSC_CLOCKSOURCE,
  Requirement.NO_TSC_CONTROL
})
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TscCatchUpTest {
  /** A guest's TSC after an hour or so: more than it is ever caught up by in a test. */
  private static final long LATE_TSC = 10_000_000_000_000L;

  /** Between two snapshots, ms. */
  private static final long SOME_TIME = 50;

  /** Between two entries, ms: the TSC is a third of that behind if it is not caught up. */
  private static final long PAUSE = 5;

  /** So many that some are on the CPU of the one before: KVM updates clocks on another anyway. */
  private static final int ENTRIES = 8;

  private static final long MILLION = 1_000_000;
  private static final long NANOS_PER_MILLI = 1_000_000;
  private static final long MICROS_PER_MILLI = 1000;

  /** What the hypercall returns is negative (uapi/linux/kvm_para.h). */
  private static final long KVM_EOPNOTSUPP = 95;

  private final Kvm kvm = Kvm.open();
  private long hostKhz;

  /** How far from the host's rate a rate may be that KVM takes for it, kHz. */
  private long toleratedKhz;

  /** By what a page of a guest of the host's rate turns ticks into ns. */
  private PvclockScale hostScale;

  @BeforeAll
  void findHostsRate() {
    long tolerance = KvmModule.tscTolerancePpm();
    try (KvmclockVm ordinary = new KvmclockVm(kvm, 1)) {
      hostKhz = ordinary.vcpu(0).getTscKhz();
      hostScale = ordinary.page(ordinary.vcpu(0)).scale();
    }
    toleratedKhz = hostKhz * tolerance / MILLION;
  }

  @AfterAll
  void close() {
    kvm.close();
  }

  static Stream<Arguments> rates() {
    return Stream.of(argumentSet("four thirds", 4, 3), argumentSet("5 % above", 21, 20));
  }

  /**
   * Of the ticks, how many may be missing or too many. KVM's nanoseconds are CLOCK_MONOTONIC_RAW's,
   * whose multiplier is exact to 2^-22, and so are the rates, whole kHz, to which KVM's multiplier
   * is exact to 2^-31: 1e-6 together, as in {@link KvmclockVm#drift}; here ten times that. But if
   * KVM has the rate from before the kernel refined it, 1 %.
   */
  private static long rateExactTo() {
    return Behaviour.CLOCK_KHZ.is("current") ? 100_000 : 100;
  }

  /** A part of the host's rate, past what KVM takes for the host's own, kHz. */
  private long rate(long times, long dividedBy) {
    return hostKhz * times / dividedBy + toleratedKhz;
  }

  private long fourThirds() {
    return rate(4, 3);
  }

  /**
   * A TSC that was written, and the rate at which it is to go on from there.
   *
   * @param khz the guest's
   * @param tsc what was written
   * @param written the host's TSC before and after that
   */
  private record TscLine(Vcpu vcpu, long khz, long hostKhz, long tsc, CounterWindow written) {
    /**
     * Where the guest's TSC is at a moment of the host's. The two readings of KVM's clock, of the
     * write and of this moment, are rounded to 1 ns, and a CPU may execute an RDTSC some ns late,
     * as KVM does not order all of them: less than 1 us all in all.
     */
    CounterWindow at(CounterWindow hostTsc) {
      CounterWindow passed = hostTsc.minus(written);
      long least = guestTicks(passed.from());
      long most = guestTicks(passed.to());
      long inexact = most / rateExactTo() + khz / MICROS_PER_MILLI + 1;
      return new CounterWindow(tsc + least - inexact, tsc + most + inexact);
    }

    /** In two parts, as the product may have more than 64 bits. */
    private long guestTicks(long hostTicks) {
      return hostTicks / hostKhz * khz + hostTicks % hostKhz * khz / hostKhz;
    }

    @Override
    public String toString() {
      return "%s at %d of %d kHz, IA32_TSC written to %d at host TSC %s"
          .formatted(vcpu, khz, hostKhz, tsc, written);
    }
  }

  /** Adds a vCPU. Its rate and its TSC are set before it runs: so do VMMs that restore a guest. */
  private TscLine addVcpu(KvmclockVm vm, long khz, long tsc) {
    Vcpu vcpu = vm.createVcpu();
    setRate(vcpu, khz);
    TimedCalls calls = new TimedCalls();
    TimedCalls.Timed<Long> write = calls.setMsr(vcpu, Msr.IA32_TSC, tsc);
    calls.make();
    return new TscLine(vcpu, khz, hostKhz, tsc, write.hostTsc());
  }

  private static void setRate(Vcpu vcpu, long khz) {
    String call = "KVM_SET_TSC_KHZ of %s to %d kHz".formatted(vcpu, khz);
    assertAccepted(vcpu.trySetTscKhz(khz), call);
    assertEquals(khz, vcpu.getTscKhz(), () -> "KVM_GET_TSC_KHZ after " + call);
  }

  /** Adds two vCPUs whose TSCs are far apart, for which there is no master clock. */
  private List<TscLine> addVcpusFarApart(KvmclockVm vm) {
    return List.of(addVcpu(vm, fourThirds(), LATE_TSC), addVcpu(vm, fourThirds(), 2 * LATE_TSC));
  }

  private static void assertFlagsOfUnequalOffsets(KvmclockVm vm) {
    assertEquals(
        ClockData.flagNames(KvmclockVm.flagsOfUnequalOffsets()),
        ClockData.flagNames(vm.vm().getClock().flags()),
        "flags of KVM_GET_CLOCK with vCPUs whose TSCs are far apart");
  }

  /** From the write on, and from one snapshot of the master clock to the next. */
  @ParameterizedTest
  @MethodSource("rates")
  void timestampOfPageGoesOnAtTheGuestsRate(long times, long dividedBy, TestReporter reporter)
      throws InterruptedException {
    try (KvmclockVm vm = new KvmclockVm(kvm)) {
      TscLine line = addVcpu(vm, rate(times, dividedBy), LATE_TSC);
      vm.guest().enableKvmclock(line.vcpu());

      assertTimestampAtSnapshot(vm, line, "first snapshot", reporter);
      Thread.sleep(SOME_TIME);
      assertTimestampAtSnapshot(vm, line, "snapshot %d ms later".formatted(SOME_TIME), reporter);
    }
  }

  /**
   * KVM reads the TSC for its snapshot within KVM_SET_CLOCK, and its nanoseconds follow from that
   * very reading. The page has the guest's TSC of that moment, caught up by the same nanoseconds.
   */
  private static void assertTimestampAtSnapshot(
      KvmclockVm vm, TscLine line, String step, TestReporter reporter) {
    CounterWindow snapshot = vm.setClock(1L << 40);
    vm.guest().run(line.vcpu());
    PvclockPage page = vm.page(line.vcpu());

    KvmclockVm.assertMasterClock(true, "with one vCPU", vm.vm().getClock());
    CounterWindow expected = line.at(snapshot);
    String observation =
        "%s, %s at host TSC %s: tsc_timestamp of %s, expected in %s"
            .formatted(step, line, snapshot, page, expected);
    reporter.publishEntry(
        Measured.reading(
            observation, "tsc_timestamp, " + step, "ticks", page.tscTimestamp(), expected));
    assertTrue(expected.contains(page.tscTimestamp()), observation);
  }

  @Test
  void tscIsCaughtUpAtEveryEntryWithoutMasterClock(TestReporter reporter)
      throws InterruptedException {
    try (KvmclockVm vm = new KvmclockVm(kvm)) {
      for (TscLine line : addVcpusFarApart(vm)) {
        assertCaughtUpAtEveryEntry(vm.guest(), line, reporter);
      }
      assertFlagsOfUnequalOffsets(vm);
    }
  }

  /**
   * KVM reads the TSC and then its clock, and moves the offset as if both were of one moment. If it
   * is held up in between, the guest's TSC is ahead by as long, which wears off: by the longest
   * KVM_RUN so far at most.
   */
  private static void assertCaughtUpAtEveryEntry(
      ClockGuest guest, TscLine line, TestReporter reporter) throws InterruptedException {
    Vcpu vcpu = line.vcpu();
    ErrorBounds error = new ErrorBounds("ticks");
    // KVM has reason to catch up before the next entry once the guest has exited.
    ClockGuest.TscReading before = guest.readTsc(vcpu);
    long heldUp = before.hostTsc().width();
    for (int entry = 1; entry <= ENTRIES; entry++) {
      Thread.sleep(PAUSE);
      ClockGuest.TscReading reading = guest.readTsc(vcpu);

      heldUp = Math.max(heldUp, reading.hostTsc().width());
      CounterWindow expected = line.at(reading.hostTsc()).plus(new CounterWindow(0, heldUp));
      String observation =
          "entry %d, %s: RDTSC %s, expected in %s; the one before: %s"
              .formatted(entry, line, reading, expected, before);
      assertTrue(expected.contains(reading.guestTsc()), observation);
      // The hardware counts at the host's rate, and KVM moves it forward only.
      long advance = reading.guestTsc() - before.guestTsc();
      long least = reading.hostTsc().from() - before.hostTsc().to();
      assertTrue(
          advance >= least,
          () ->
              "advanced by %d ticks, expected %d of the host's or more: %s"
                  .formatted(advance, least, observation));
      error.add(reading.guestTsc(), expected);
      before = reading;
    }
    reporter.publishEntry(
        Measured.error("%s: RDTSC, %s".formatted(line, error), "RDTSC of " + vcpu, error));
  }

  /**
   * The page has the TSC as it is after KVM caught up, and counts on from there as the hardware
   * does: at the host's rate.
   */
  @Test
  void pageGivesGetClocksClock() throws InterruptedException {
    assumePageCountsAtHostsRate();
    try (KvmclockVm vm = new KvmclockVm(kvm)) {
      TscLine line = addVcpu(vm, fourThirds(), LATE_TSC);
      vm.guest().enableKvmclock(line.vcpu());
      for (int snapshot = 1; snapshot <= ENTRIES; snapshot++) {
        Thread.sleep(PAUSE);
        vm.setClock(1L << 40);
        vm.runAll();
        ClockData got = vm.vm().getClock();

        String when = "at snapshot %d, %s".formatted(snapshot, line);
        KvmclockVm.assertMasterClock(true, when, got);
        vm.assertPagesGive(got, when);
        assertScaleIsTheHosts(vm.page(line.vcpu()), when);
      }
    }
  }

  private void assertScaleIsTheHosts(PvclockPage page, String when) {
    assertEquals(
        hostScale,
        page.scale(),
        () -> "scale of the page, of the host's %d kHz, %s: %s".formatted(hostKhz, when, page));
  }

  /**
   * Of "Cleaning up the KVM clock mess", which keeps the master clock with unequal offsets, there
   * are versions that catch up to the time of the entry but have the snapshot's time in the page
   * ("Fix software TSC upscaling"): to count on from there takes another rate than the host's.
   */
  private static void assumePageCountsAtHostsRate() {
    Assumptions.assumeFalse(
        Behaviour.MC_UNEQUAL.is("on"),
        () ->
            "%s is on: a TSC that is caught up goes on from the master clock's snapshot"
                .formatted(Behaviour.MC_UNEQUAL.key()));
  }

  @Test
  void guestsKvmclockIsGetClocksWithoutMasterClock() throws InterruptedException {
    assumePageCountsAtHostsRate();
    try (KvmclockVm vm = new KvmclockVm(kvm)) {
      for (TscLine line : addVcpusFarApart(vm)) {
        vm.guest().enableKvmclock(line.vcpu());
        for (int entry = 1; entry <= ENTRIES; entry++) {
          Thread.sleep(PAUSE);
          assertKvmclockWithinGetClocks(vm, line, "entry %d, %s".formatted(entry, line));
        }
      }
      assertFlagsOfUnequalOffsets(vm);
    }
  }

  /**
   * KVM reads the TSC and then its clock for the page: if it is held up in between, kvmclock is
   * ahead by as long, less than the KVM_RUN lasts. A page that counts with a rate from before the
   * kernel refined it, by 1 % at most ({@link Behaviour#CLOCK_KHZ}), adds that much of it.
   */
  private void assertKvmclockWithinGetClocks(KvmclockVm vm, TscLine line, String step) {
    ClockData before = vm.vm().getClock();
    ClockGuest.KvmclockReading reading = vm.guest().readKvmclock(line.vcpu());
    ClockData after = vm.vm().getClock();

    PvclockPage page = vm.page(line.vcpu());
    long held = reading.hostTsc().width() * NANOS_PER_MILLI / hostKhz;
    long ahead = held + held / 100 + 2; // both were rounded down
    CounterWindow expected = new CounterWindow(before.clock(), after.clock() + ahead);
    assertTrue(
        expected.contains(reading.nanos()),
        () ->
            "%s: guest's kvmclock %s, expected in %s by KVM_GET_CLOCK before and after; %s"
                .formatted(step, reading, expected, page));
    assertScaleIsTheHosts(page, step);
  }

  /** The guest could not go on from the pair: its TSC is not a line. Another vCPU's still is. */
  @Test
  void clockPairingIsRefusedWhereTheTscIsCaughtUp() {
    try (KvmclockVm vm = new KvmclockVm(kvm, 2)) {
      Vcpu ordinary = vm.vcpu(0);
      Vcpu caughtUp = vm.vcpu(1);
      assertEquals(0, pairClocks(vm, caughtUp), () -> caughtUp + " of the host's rate");
      setRate(caughtUp, fourThirds());
      GuestMemory memory = vm.vm().memory();
      byte[] ones = new byte[ClockPairing.SIZE];
      Arrays.fill(ones, (byte) 0xff);
      memory.write(ClockGuest.SPARE_PAGE, ones);

      long answer = pairClocks(vm, caughtUp);

      String what =
          "KVM_HC_CLOCK_PAIRING on %s at %d of %d kHz"
              .formatted(caughtUp, caughtUp.getTscKhz(), hostKhz);
      assertEquals(-KVM_EOPNOTSUPP, answer, what);
      assertArrayEquals(
          ones,
          memory.read(ClockGuest.SPARE_PAGE, ones.length),
          () -> "memory after it was refused, " + what);
      assertEquals(
          0, pairClocks(vm, ordinary), () -> ordinary + " of the host's rate, after " + what);
    }
  }

  private static long pairClocks(KvmclockVm vm, Vcpu vcpu) {
    return vm.guest().pairClocks(vcpu, ClockGuest.SPARE_PAGE, ClockPairing.WALL_CLOCK).value();
  }
}
