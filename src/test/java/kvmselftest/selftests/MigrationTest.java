package kvmselftest.selftests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import kvmselftest.Requires;
import kvmselftest.kvm.ClockData;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Requirement;
import kvmselftest.kvm.TscOffset;
import kvmselftest.kvm.Vcpu;
import kvmselftest.migration.ClockSnapshot;
import kvmselftest.migration.Downtime;
import kvmselftest.migration.HostTscRate;
import kvmselftest.migration.MigrationException;
import kvmselftest.migration.RestoredClocks;
import kvmselftest.migration.VcpuClock;
import kvmselftest.selftests.MovingGuest.Arrival;
import kvmselftest.selftests.MovingGuest.Departure;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A guest is paused and moves from one VM to another with its registers, its memory and its clocks,
 * by the seven steps of Documentation/virt/kvm/devices/vcpu.rst, section 4.1, as {@code
 * kvmselftest.migration} has them. Upstream has no test of that.
 */
@Tag("selftest")
@Requires({
  Requirement.KVM,
  Requirement.TSC_OFFSET,
  Requirement.CLOCK_REALTIME,
  Requirement.TSC_CLOCKSOURCE
})
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class MigrationTest {
  private static final TscOffset OFFSET = new TscOffset(-1_000_000_000_000L);

  /** Ticks between one vCPU's TSC and the next: 0.4 s or more. */
  private static final long APART = 1_300_000_007L;

  private static final int MOVES_IN_A_ROW = 10;
  private static final int STRAY = 1;

  private final Kvm kvm = Kvm.open();
  private final HostTscRate host = HostTscRate.of(kvm);

  @AfterAll
  void close() {
    kvm.close();
  }

  static Stream<Arguments> shortMoves() {
    return Stream.of(move(1, 0), move(2, 50), move(4, 0));
  }

  static Stream<Arguments> longMoves() {
    return Stream.of(0L, 50L, 1_500L, 10_000L)
        .flatMap(pause -> Stream.of(move(1, pause), move(2, pause), move(4, pause)));
  }

  private static Arguments move(int vcpus, long pauseMillis) {
    return argumentSet(
        "%d vCPUs, pause of %d ms".formatted(vcpus, pauseMillis),
        vcpus,
        Duration.ofMillis(pauseMillis));
  }

  @ParameterizedTest
  @MethodSource("shortMoves")
  void guestsClocksGoOnAsIfItHadNeverStopped(int vcpus, Duration pause, TestReporter reporter)
      throws InterruptedException {
    assertMoves(vcpus, pause, reporter);
  }

  @Tag("thorough")
  @ParameterizedTest
  @MethodSource("longMoves")
  void guestsClocksGoOnAfterAnyPause(int vcpus, Duration pause, TestReporter reporter)
      throws InterruptedException {
    assertMoves(vcpus, pause, reporter);
  }

  private void assertMoves(int vcpus, Duration pause, TestReporter reporter)
      throws InterruptedException {
    MoveCheck check = move(vcpus, 0, pause, reporter);
    check.assertClocksGoOn(reporter);
    check.assertMasterClockAsBefore();
    check.assertTscAndKvmclockAgreeAsBefore(reporter);
  }

  static Stream<Arguments> shortMovesApart() {
    return Stream.of(move(4, 50));
  }

  static Stream<Arguments> longMovesApart() {
    return Stream.of(0L, 1_500L, 10_000L)
        .flatMap(pause -> Stream.of(move(2, pause), move(4, pause)));
  }

  /** KVM_GET_CLOCK gives no host_tsc then, and the snapshot says how far off it may be. */
  @ParameterizedTest
  @MethodSource("shortMovesApart")
  void clocksOfVcpusThatAreApartGoOnApart(int vcpus, Duration pause, TestReporter reporter)
      throws InterruptedException {
    assertMovesApart(vcpus, pause, reporter);
  }

  @Tag("thorough")
  @ParameterizedTest
  @MethodSource("longMovesApart")
  void clocksOfVcpusThatAreApartGoOnAfterAnyPause(int vcpus, Duration pause, TestReporter reporter)
      throws InterruptedException {
    assertMovesApart(vcpus, pause, reporter);
  }

  private void assertMovesApart(int vcpus, Duration pause, TestReporter reporter)
      throws InterruptedException {
    MoveCheck check = move(vcpus, APART, pause, reporter);
    ClockSnapshot snapshot = check.source().snapshot();
    reporter.publishEntry("snapshot: " + snapshot.reading());
    check.assertClocksGoOn(reporter);
  }

  private MoveCheck move(int vcpus, long apart, Duration pause, TestReporter reporter)
      throws InterruptedException {
    return move(vcpus, apart, host.khz(), pause, reporter);
  }

  private MoveCheck move(int vcpus, long apart, long khz, Duration pause, TestReporter reporter)
      throws InterruptedException {
    try (MovingGuest source = MovingGuest.start(kvm, vcpus, OFFSET, apart, khz);
        MovingGuest destination = MovingGuest.create(kvm, vcpus)) {
      Steering before = Steering.now();
      Departure departure = source.depart(host);
      Thread.sleep(pause);
      Arrival arrival =
          destination.arrive(departure.state(), departure.snapshot(), Downtime.COUNTED, host);
      MoveCheck check = new MoveCheck(departure, arrival, Steering.now().since(before), host);
      check.publishChart(pause, reporter);
      return check;
    }
  }

  /**
   * A promise that is near enough to the host's rate for KVM not to scale (100 of the 250 ppm that
   * it tolerates): the TSC counts as the host's does, whatever KVM_GET_TSC_KHZ says.
   */
  @Test
  void guestOfAlmostTheHostsRateCountsAsItsHost(TestReporter reporter) throws InterruptedException {
    long khz = host.khz() + host.khz() / 10_000;
    MoveCheck check = move(2, 0, khz, Duration.ofMillis(20), reporter);
    VcpuClock vcpu = check.source().snapshot().vcpus().getFirst();
    assertEquals(
        List.of(khz, host.khz()),
        List.of(vcpu.tscKhz(), vcpu.countsAtKhz()),
        "what KVM_GET_TSC_KHZ says, and the rate at which it counts, kHz");
    check.assertClocksGoOn(reporter);
    check.assertMasterClockAsBefore();
    check.assertTscAndKvmclockAgreeAsBefore(reporter);
  }

  static Stream<Arguments> rates() {
    return Stream.of(argumentSet("half", 1, 2), argumentSet("two thirds", 2, 3));
  }

  /**
   * Each host's TSC is scaled before the offset is added, which the kernel's document leaves out.
   */
  @ParameterizedTest
  @MethodSource("rates")
  @Requires(Requirement.TSC_CONTROL)
  void scaledTscGoesOn(long times, long dividedBy, TestReporter reporter)
      throws InterruptedException {
    long khz = host.khz() * times / dividedBy;
    MoveCheck check = move(2, 0, khz, Duration.ofMillis(50), reporter);
    assertFalse(
        check.source().snapshot().vcpus().getFirst().scaling().isNone(),
        () -> "not scaled: " + check.source().snapshot());
    check.assertClocksGoOn(reporter);
    check.assertMasterClockAsBefore();
    check.assertTscAndKvmclockAgreeAsBefore(reporter);
    assertDocumentsFormulaIsOff(check, reporter);
  }

  /**
   * The document's step 6 takes both hosts' TSCs as they are. On one host, whose TSC went on from
   * t0 to t1 meanwhile, that is off by that time's ticks of the guest less those of the host.
   */
  private static void assertDocumentsFormulaIsOff(MoveCheck check, TestReporter reporter) {
    ClockSnapshot snapshot = check.source().snapshot();
    RestoredClocks restored = check.arrival().restored();
    VcpuClock vcpu = snapshot.vcpus().getFirst();
    long t0 = snapshot.reading().moment().hostTsc();
    long t1 = restored.reading().moment().hostTsc();
    long passed = restored.kvmclockPassed() * vcpu.countsAtKhz() / 1_000_000;
    long byDocument = t0 + vcpu.offset().ticks() + passed - t1;
    long off = byDocument - restored.vcpus().getFirst().offset().ticks();
    long expected = vcpu.scaling().scale(t1) - vcpu.scaling().scale(t0) - (t1 - t0);
    String observation =
        "%d host ticks after the snapshot the document's formula, which scales no TSC, would set the guest's %+d ticks (%+.3f ms) from where it is; expected %+d"
            .formatted(t1 - t0, off, (double) off / vcpu.countsAtKhz(), expected);
    reporter.publishEntry(observation);
    assertTrue(Math.abs(off - expected) <= 2, observation);
    assertTrue(Math.abs(off) > vcpu.countsAtKhz(), () -> observation + ", more than 1 ms");
  }

  /** Without KVM_CLOCK_REALTIME kvmclock goes on from where it was, and the TSC with it. */
  @Test
  void hiddenDowntimeIsSeenByNeitherClock(TestReporter reporter) throws InterruptedException {
    try (MovingGuest source = MovingGuest.start(kvm, 2, OFFSET, 0);
        MovingGuest destination = MovingGuest.create(kvm, 2)) {
      Departure departure = source.depart(host);
      Thread.sleep(20);

      Arrival arrival =
          destination.arrive(departure.state(), departure.snapshot(), Downtime.HIDDEN, host);

      RestoredClocks restored = arrival.restored();
      long most = restored.reading().moment().hostTsc() - restored.setClock().from();
      long mostNanos = most * 1_000_000 / host.khz() + 2;
      String observation =
          "kvmclock went on by %d ns over a pause of %d ns, expected 0 to %d, since KVM_SET_CLOCK"
              .formatted(
                  restored.kvmclockPassed(),
                  restored.reading().realtime() - departure.snapshot().reading().realtime(),
                  mostNanos);
      reporter.publishEntry(observation);
      assertTrue(
          restored.kvmclockPassed() >= 0 && restored.kvmclockPassed() <= mostNanos, observation);
      long advanced =
          restored.vcpus().getFirst().guestTsc(restored.reading().moment().hostTsc())
              - departure.snapshot().guestTsc(0);
      assertTrue(
          advanced >= 0 && advanced <= most,
          () -> "the TSC went on by %d ticks, expected 0 to %d".formatted(advanced, most));
      new MoveCheck(departure, arrival, new Steering(0, 0), host)
          .assertTscAndKvmclockAgreeAsBefore(reporter);
    }
  }

  @Test
  void restoreDoneTwiceChangesNothing(TestReporter reporter) throws InterruptedException {
    try (MovingGuest source = MovingGuest.start(kvm, 2, OFFSET, 0);
        MovingGuest destination = MovingGuest.create(kvm, 2)) {
      Steering before = Steering.now();
      Departure departure = source.depart(host);
      Arrival first =
          destination.arrive(departure.state(), departure.snapshot(), Downtime.COUNTED, host);
      Thread.sleep(10);
      RestoredClocks second = destination.restore(departure.snapshot(), Downtime.COUNTED, host);
      destination.run();

      Steering steering = Steering.now().since(before);
      long moved = second.vcpus().getFirst().offset().ticks() - first.offsets().getFirst().ticks();
      // What is left is how long each KVM_SET_CLOCK took from the wall clock to kvmclock.
      long nanos = second.aheadOfRealtime() - first.restored().aheadOfRealtime();
      long expected = (nanos + steering.nanos()) * host.khz() / 1_000_000;
      // The clock was steered between the two restores, and a little before and after.
      long steered = Math.abs(steering.nanos() * host.khz() / 1_000_000);
      long slack = 4 + steering.error() * host.khz() / 1_000_000 + host.khz() / 1000 + steered;
      String observation =
          "the second restore moved the TSC by %+d ticks; KVM_SET_CLOCK was %+d ns later than the first time: expected %+d +-%d ticks"
              .formatted(moved, nanos, expected, slack);
      reporter.publishEntry(observation);
      assertTrue(Math.abs(moved - expected) <= slack, observation);
      new MoveCheck(
              departure,
              new Arrival(
                  second,
                  destination.offsets(),
                  destination.clock(),
                  destination.pages(),
                  destination.samples()),
              steering,
              host)
          .assertClocksGoOn(reporter);
    }
  }

  /** Each move sets the clocks ahead by what its KVM_SET_CLOCK took, and by nothing more. */
  @Tag("thorough")
  @Test
  void tenMovesInARowAddUpToWhatEachSays(TestReporter reporter) {
    Steering before = Steering.now();
    List<RestoredClocks> moves = new ArrayList<>();
    MovingGuest here = MovingGuest.start(kvm, 1, OFFSET, 0);
    try {
      for (int i = 0; i < MOVES_IN_A_ROW; i++) {
        Departure departure = here.depart(host);
        MovingGuest there = MovingGuest.create(kvm, 1);
        here.close();
        here = there;
        Arrival arrival =
            here.arrive(departure.state(), departure.snapshot(), Downtime.COUNTED, host);
        moves.add(arrival.restored());
        assertEquals(
            ClockData.flagNames(ClockData.ALL_FLAGS),
            ClockData.flagNames(arrival.clock().flags()),
            "flags of KVM_GET_CLOCK after move " + (i + 1));
      }
      Steering steering = Steering.now().since(before);
      long moved = here.offsets().getFirst().ticks() - OFFSET.ticks();
      long elapsed =
          moves.getLast().reading().moment().hostTsc()
              - moves.getFirst().snapshot().reading().moment().hostTsc();
      long steered = steering.nanos() * host.khz() / 1_000_000;
      long said =
          moves.stream().mapToLong(RestoredClocks::aheadOfRealtime).sum() * host.khz() / 1_000_000
              + steered;
      long slack =
          2 * MOVES_IN_A_ROW
              + elapsed / 100_000
              + steering.error() * host.khz() / 1_000_000
              + Math.abs(steered); // for what lies before and after the moves
      String observation =
          "%d moves in %d ticks set the TSC ahead by %+d ticks, and said %+d; expected that +-%d"
              .formatted(MOVES_IN_A_ROW, elapsed, moved, said, slack);
      reporter.publishEntry(observation);
      assertTrue(Math.abs(moved - said) <= slack, observation);
      long took = moves.stream().mapToLong(move -> move.setClock().width()).sum();
      assertTrue(
          said - steered >= -slack && said - steered <= took + slack,
          () -> observation + "; all KVM_SET_CLOCK took %d ticks".formatted(took));
    } finally {
      here.close();
    }
  }

  /**
   * Step 7 is for every vCPU in one pass: KVM takes them for equal only if all were written, also
   * those that have the offset already.
   */
  @Test
  void vcpuLeftOutKeepsMasterClockOff() {
    try (MovingGuest source = MovingGuest.start(kvm, 3, OFFSET, 0);
        MovingGuest destination = MovingGuest.create(kvm, 3)) {
      Departure departure = source.depart(host);
      RestoredClocks restored = destination.restore(departure.snapshot(), Downtime.COUNTED, host);
      List<TscOffset> offsets = restored.vcpus().stream().map(VcpuClock::offset).toList();
      Vcpu stray = destination.vcpus().get(STRAY);
      stray.setTscOffset(new TscOffset(8));
      stray.setTscOffset(offsets.get(STRAY));
      destination.run();
      destination.run();
      assertEquals(offsets, destination.offsets(), "offsets, one of which strayed and came back");
      assertEquals(
          ClockData.flagNames(KvmclockVm.flagsOfUnequalOffsets()),
          ClockData.flagNames(destination.clock().flags()),
          "flags of KVM_GET_CLOCK when the others were left out");

      destination.restore(departure.snapshot(), Downtime.COUNTED, host);
      destination.run();

      assertEquals(
          ClockData.flagNames(ClockData.ALL_FLAGS),
          ClockData.flagNames(destination.clock().flags()),
          "flags of KVM_GET_CLOCK after a restore of all");
    }
  }

  /** What does not fit is refused before anything is changed. */
  @Test
  void snapshotOfOtherVcpusChangesNothing() {
    try (MovingGuest source = MovingGuest.start(kvm, 2, OFFSET, 0);
        MovingGuest destination = MovingGuest.start(kvm, 1, new TscOffset(5), 0)) {
      ClockSnapshot snapshot = source.snapshot(host);
      ClockData before = destination.clock();

      assertThrows(
          MigrationException.class, () -> destination.restore(snapshot, Downtime.COUNTED, host));

      assertUnchanged(destination, before);
    }
  }

  /** A rate that the host cannot give is refused, and none of the vCPUs keeps it. */
  @Test
  @Requires(Requirement.NO_TSC_CONTROL)
  void rateOfAnotherHostIsRefusedAndChangesNothing() {
    try (MovingGuest destination = MovingGuest.start(kvm, 1, new TscOffset(5), 0)) {
      ClockSnapshot snapshot = withRate(destination.snapshot(host), host.khz() / 2);
      ClockData before = destination.clock();

      assertThrows(
          MigrationException.class, () -> destination.restore(snapshot, Downtime.COUNTED, host));

      assertEquals(host.khz(), destination.vcpus().getFirst().getTscKhz(), "KVM_GET_TSC_KHZ");
      destination.run();
      assertUnchanged(destination, before);
    }
  }

  private static void assertUnchanged(MovingGuest guest, ClockData before) {
    ClockData after = guest.clock();
    assertEquals(List.of(new TscOffset(5)), guest.offsets(), "offsets");
    assertEquals(ClockData.flagNames(before.flags()), ClockData.flagNames(after.flags()), "flags");
    long guestTsc = new TscOffset(5).guestTsc(after.hostTsc());
    assertEquals(guest.pages().getFirst().nanosAt(guestTsc), after.clock(), "kvmclock");
    assertFalse(after.clock() - before.clock() < 0, () -> before + " before " + after);
  }

  private static ClockSnapshot withRate(ClockSnapshot snapshot, long khz) {
    return new ClockSnapshot(
        snapshot.reading(),
        snapshot.vcpus().stream()
            .map(vcpu -> new VcpuClock(vcpu.index(), vcpu.offset(), khz, khz, vcpu.scaling()))
            .toList());
  }
}
