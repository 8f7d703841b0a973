package kvmselftest.selftests;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import kvmselftest.Requires;
import kvmselftest.kvm.ClockData;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Requirement;
import kvmselftest.kvm.TscOffset;
import kvmselftest.kvm.Vcpu;
import kvmselftest.selftests.OlderWay.Restored;
import kvmselftest.selftests.OlderWay.Saved;
import kvmselftest.x86.CounterWindow;
import kvmselftest.x86.Msr;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What becomes of a guest's clocks where its VMM moves them the {@link OlderWay}, by the values of
 * IA32_TSC: reported, on any kernel and on a host whose TSC is not trusted, too. Asserted is no
 * more than KVM promises: a write of IA32_TSC takes effect as it is, or gives the vCPU the offset
 * of the others, and KVM_SET_CLOCK sets kvmclock.
 */
@Tag("selftest")
@Requires(Requirement.KVM)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class OlderMigrationTest {
  /** A guest's TSC after an hour or so: far more than the second within which KVM guesses. */
  private static final long LATE_TSC = 10_000_000_000_000L;

  /** Without the master clock KVM_SET_CLOCK and KVM_GET_CLOCK are so far apart at most, ns. */
  private static final long WITHOUT_MASTER_CLOCK = 100_000;

  private final Kvm kvm = Kvm.open();

  @AfterAll
  void close() {
    kvm.close();
  }

  static Stream<Arguments> shortMoves() {
    return Stream.of(argumentSet("4 vCPUs, pause of 50 ms", 4, Duration.ofMillis(50)));
  }

  static Stream<Arguments> longMoves() {
    return LongStream.of(0, 50, 1_500, 10_000)
        .boxed()
        .flatMap(
            pause ->
                IntStream.of(1, 2, 4)
                    .mapToObj(
                        vcpus ->
                            argumentSet(
                                "%d vCPUs, pause of %d ms".formatted(vcpus, pause),
                                vcpus,
                                Duration.ofMillis(pause))));
  }

  @ParameterizedTest
  @MethodSource("shortMoves")
  void tscStandsStillFromReadingToWrite(int vcpus, Duration pause, TestReporter reporter)
      throws InterruptedException {
    move(OlderWay.ALL_CREATED_THEN_ALL_WRITTEN, vcpus, List.of(), pause, reporter);
  }

  @Tag("thorough")
  @ParameterizedTest
  @MethodSource("longMoves")
  void tscStandsStillForAnyPause(int vcpus, Duration pause, TestReporter reporter)
      throws InterruptedException {
    move(OlderWay.ALL_CREATED_THEN_ALL_WRITTEN, vcpus, List.of(), pause, reporter);
  }

  static Stream<Arguments> variants() {
    return Stream.of(OlderWay.EACH_WRITTEN_AS_CREATED, OlderWay.TSC_NOT_WRITTEN)
        .map(way -> argumentSet(way.toString(), way));
  }

  @ParameterizedTest
  @MethodSource("variants")
  void variantsLoseOtherTimes(OlderWay way, TestReporter reporter) throws InterruptedException {
    move(way, 3, List.of(), Duration.ZERO, reporter);
  }

  static Stream<Arguments> skews() {
    return Stream.of(
        argumentSet("0.9 s ahead, all written", OlderWay.ALL_CREATED_THEN_ALL_WRITTEN, 900),
        argumentSet("1.1 s ahead, all written", OlderWay.ALL_CREATED_THEN_ALL_WRITTEN, 1_100));
  }

  static Stream<Arguments> moreSkews() {
    return Stream.of(
        argumentSet("0.9 s behind, all written", OlderWay.ALL_CREATED_THEN_ALL_WRITTEN, -900),
        argumentSet("1.1 s behind, all written", OlderWay.ALL_CREATED_THEN_ALL_WRITTEN, -1_100),
        argumentSet("1.1 s ahead, vCPU 0's to all", OlderWay.FIRST_OFFSET_TO_ALL, 1_100));
  }

  /** Just inside of the second within which KVM takes two values for the same, and beyond it. */
  @ParameterizedTest
  @MethodSource("skews")
  @Requires(Requirement.TSC_OFFSET)
  void vcpusThatAreApartComeTogetherOrNot(OlderWay way, long millis, TestReporter reporter)
      throws InterruptedException {
    move(way, 2, List.of(0L, millis), Duration.ZERO, reporter);
  }

  @Tag("thorough")
  @ParameterizedTest
  @MethodSource("moreSkews")
  @Requires(Requirement.TSC_OFFSET)
  void vcpusThatAreApartComeTogetherOrNotInOtherWays(
      OlderWay way, long millis, TestReporter reporter) throws InterruptedException {
    move(way, 2, List.of(0L, millis), Duration.ZERO, reporter);
  }

  /**
   * @param skews by how many milliseconds of its TSC each vCPU is ahead; empty: not at all
   */
  private void move(
      OlderWay way, int vcpus, List<Long> skews, Duration pause, TestReporter reporter)
      throws InterruptedException {
    try (MovingGuest source = MovingGuest.create(kvm, vcpus)) {
      start(source, skews);
      List<TscPosition> before = source.vcpus().stream().map(TscPosition::of).toList();
      ClockData clock = source.clock();
      List<Sample> samples = source.samples();
      GuestState state = source.pause();
      Saved saved = Saved.of(source);
      Thread.sleep(pause);
      Restored restored = way.restore(kvm, saved, state);
      try (MovingGuest destination = restored.guest()) {
        List<TscPosition> after = destination.vcpus().stream().map(TscPosition::of).toList();
        new MoveChart("older way", vcpus, pause, saved.khz())
            .samples(samples, destination.samples())
            .differences(apart(before), apart(after))
            .publish(reporter);
        publish(way, saved, before, after, reporter);
        reporter.publishEntry(
            "master clock (KVM_GET_CLOCK's flags) before: %s, after: %s"
                .formatted(
                    ClockData.flagNames(clock.flags()),
                    ClockData.flagNames(destination.clock().flags())));
        assertClockWasSet(restored, saved);
        assertTscsWereWritten(way, saved, restored, before, after, reporter);
      }
    }
  }

  private static void start(MovingGuest guest, List<Long> skews) {
    guest.vcpus().forEach(vcpu -> vcpu.setMsr(Msr.IA32_TSC, LATE_TSC));
    for (int i = 0; i < skews.size(); i++) {
      Vcpu vcpu = guest.vcpus().get(i);
      long skew = skews.get(i) * vcpu.getTscKhz();
      vcpu.setTscOffset(new TscOffset(vcpu.getTscOffset().ticks() + skew));
    }
    guest.vcpus().forEach(guest.guest()::enableKvmclock);
    guest.run();
  }

  private static List<Long> apart(List<TscPosition> positions) {
    return positions.stream()
        .map(position -> position.minus(positions.getFirst()).ticks())
        .toList();
  }

  private static void publish(
      OlderWay way,
      Saved saved,
      List<TscPosition> before,
      List<TscPosition> after,
      TestReporter reporter) {
    for (int i = 0; i < before.size(); i++) {
      TscPosition lost = before.get(i).minus(after.get(i));
      reporter.publishEntry(
          String.format(
              Locale.ROOT,
              "%s: vCPU %d's TSC fell behind by %d ticks (%.3f ms), +-%d; ahead of vCPU 0's by %d"
                  + " before and %d after",
              way,
              i,
              lost.ticks(),
              lost.ticks() / (double) saved.khz(),
              lost.error(),
              apart(before).get(i),
              apart(after).get(i)));
    }
  }

  /** KVM_GET_CLOCK just after KVM_SET_CLOCK. */
  private static void assertClockWasSet(Restored restored, Saved saved) {
    long passed = restored.gotClock().value().clock() - saved.clock().value().clock();
    long ticks = restored.gotClock().hostTsc().to() - restored.setClock().hostTsc().from();
    long most = ticks * 1_000_000 / saved.khz() * 101 / 100 + WITHOUT_MASTER_CLOCK;
    assertTrue(
        passed >= -WITHOUT_MASTER_CLOCK && passed <= most,
        () ->
            "KVM_SET_CLOCK to %s, and then KVM_GET_CLOCK %s: %+d ns, expected %d to %d"
                .formatted(
                    restored.setClock().value(),
                    restored.gotClock().value(),
                    passed,
                    -WITHOUT_MASTER_CLOCK,
                    most));
  }

  /** On a host whose TSC is not trusted KVM moves the offset each time it loads the vCPU. */
  private static void assertTscsWereWritten(
      OlderWay way,
      Saved saved,
      Restored restored,
      List<TscPosition> before,
      List<TscPosition> after,
      TestReporter reporter) {
    var distrust = Requirement.TSC_STABLE.unmet();
    if (distrust.isPresent()) {
      reporter.publishEntry("nothing is promised of TSCs here: " + distrust.get());
      return;
    }
    TscPosition first = after.getFirst();
    for (int i = 0; i < restored.writes().size(); i++) {
      CounterWindow own = restored.stoodStill(i, saved);
      TscPosition lost = before.get(i).minus(after.get(i));
      TscPosition apart = after.get(i).minus(first);
      boolean asFirst = apart.mayBeIn(new CounterWindow(0, 0));
      boolean copied = way == OlderWay.FIRST_OFFSET_TO_ALL && i > 0;
      boolean expected = copied ? asFirst : lost.mayBeIn(own);
      String observation =
          "%s: vCPU %d's TSC fell behind by %d ticks +-%d, and from its reading to its write passed %s;"
                  .formatted(way, i, lost.ticks(), lost.error(), own)
              + " it is %+d ticks +-%d ahead of vCPU 0's".formatted(apart.ticks(), apart.error());
      // A value within a second of what KVM expects gives the vCPU the others' offset.
      assertTrue(expected || (i > 0 && asFirst), observation);
    }
  }
}
