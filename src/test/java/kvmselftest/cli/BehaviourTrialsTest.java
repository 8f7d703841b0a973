package kvmselftest.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

class BehaviourTrialsTest {
  @Test
  void saysWhatWasSeen() {
    assertEquals(Optional.of("# behaviour: a.b legacy"), line(() -> Optional.of("legacy")));
  }

  @Test
  void saysNothingOfWhatCannotBeTried() {
    assertEquals(Optional.empty(), line(Optional::empty));
  }

  @Test
  void saysInOneLineWhyTrialFailed() {
    assertEquals(
        Optional.of("# behaviour: a.b unknown: java.lang.IllegalStateException: one"),
        line(
            () -> {
              throw new IllegalStateException("one\ntwo");
            }));
  }

  @Test
  void doesNotWaitForTrialThatNeverEnds() {
    CountDownLatch never = new CountDownLatch(1);

    assertEquals(
        Optional.of("# behaviour: a.b unknown: no answer within 50 ms"),
        line(
            () -> {
              await(never);
              return Optional.empty();
            }));
    never.countDown();
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static Optional<String> line(Supplier<Optional<String>> trial) {
    return BehaviourTrials.seen("a.b", trial, Duration.ofMillis(50)).map(Object::toString);
  }
}
