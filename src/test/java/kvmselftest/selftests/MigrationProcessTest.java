package kvmselftest.selftests;

import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import java.io.IOException;
import java.time.Duration;
import java.util.stream.Stream;
import kvmselftest.Requires;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Requirement;
import kvmselftest.kvm.TscOffset;
import kvmselftest.migration.HostTscRate;
import kvmselftest.selftests.MovingGuest.Arrival;
import kvmselftest.selftests.MovingGuest.Departure;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * As {@link MigrationTest}, from one process to another: the guest goes through a pipe, its clocks
 * as the text of a snapshot.
 */
@Tag("selftest")
@Tag("thorough")
@Requires({
  Requirement.KVM,
  Requirement.TSC_OFFSET,
  Requirement.CLOCK_REALTIME,
  Requirement.TSC_CLOCKSOURCE
})
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class MigrationProcessTest {
  private static final TscOffset OFFSET = new TscOffset(-1_000_000_000_000L);
  private static final long APART = 1_300_000_007L;

  private final Kvm kvm = Kvm.open();
  private final HostTscRate host = HostTscRate.of(kvm);

  @SuppressWarnings("NullAway.Init")
  private DestinationProcess other;

  /** One JVM for all cases: to start it takes longer than any of them. */
  @BeforeAll
  void startOther() throws IOException {
    other = DestinationProcess.start();
  }

  @AfterAll
  void close() throws IOException {
    try {
      other.close();
    } finally {
      kvm.close();
    }
  }

  static Stream<Arguments> shortMoves() {
    return Stream.of(move(2, 50, 0));
  }

  static Stream<Arguments> longMoves() {
    return Stream.of(0L, 50L, 1_500L, 10_000L)
        .flatMap(
            pause ->
                Stream.of(
                    move(1, pause, 0),
                    move(2, pause, 0),
                    move(4, pause, 0),
                    move(4, pause, APART)));
  }

  private static Arguments move(int vcpus, long pauseMillis, long apart) {
    return argumentSet(
        "%d vCPUs%s, pause of %d ms".formatted(vcpus, apart == 0 ? "" : " apart", pauseMillis),
        vcpus,
        Duration.ofMillis(pauseMillis),
        apart);
  }

  @ParameterizedTest
  @MethodSource("shortMoves")
  void guestsClocksGoOnInAnotherProcess(
      int vcpus, Duration pause, long apart, TestReporter reporter)
      throws IOException, InterruptedException {
    assertMoves(vcpus, pause, apart, reporter);
  }

  @ParameterizedTest
  @MethodSource("longMoves")
  void guestsClocksGoOnInAnotherProcessAfterAnyPause(
      int vcpus, Duration pause, long apart, TestReporter reporter)
      throws IOException, InterruptedException {
    assertMoves(vcpus, pause, apart, reporter);
  }

  private void assertMoves(int vcpus, Duration pause, long apart, TestReporter reporter)
      throws IOException, InterruptedException {
    try (MovingGuest source = MovingGuest.start(kvm, vcpus, OFFSET, apart)) {
      Steering before = Steering.now();
      Departure departure = source.depart(host);
      Thread.sleep(pause);
      Arrival arrival = other.move(departure);
      MoveCheck check = new MoveCheck(departure, arrival, Steering.now().since(before), host);
      check.publishChart(pause, reporter);
      check.assertClocksGoOn(reporter);
      if (apart == 0) {
        check.assertMasterClockAsBefore();
        check.assertTscAndKvmclockAgreeAsBefore(reporter);
      }
    }
  }
}
