package kvmselftest.cli;

import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import java.util.stream.Stream;
import kvmselftest.probe.Behaviour;
import kvmselftest.runner.SeenBehaviour;

/** Tries every {@link Behaviour} that can be tried on this machine, for the header of a run. */
final class BehaviourTrials {
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private BehaviourTrials() {}

  /** One after the other, as the stream is read; none without a usable KVM. */
  static Stream<SeenBehaviour> seen() {
    return Arrays.stream(Behaviour.values())
        .map(behaviour -> seen(behaviour.key(), () -> tried(behaviour), PATIENCE))
        .flatMap(Optional::stream);
  }

  private static Optional<String> tried(Behaviour behaviour) {
    return behaviour.unmet().isPresent() ? Optional.empty() : Optional.of(behaviour.seen());
  }

  /** Neither a trial that fails nor one that never ends keeps the tests from running. */
  static Optional<SeenBehaviour> seen(
      String key, Supplier<Optional<String>> trial, Duration patience) {
    return outcome(key, trial, patience).map(seen -> new SeenBehaviour(key, seen));
  }

  private static Optional<String> outcome(
      String key, Supplier<Optional<String>> trial, Duration patience) {
    CompletableFuture<Optional<String>> tried =
        CompletableFuture.supplyAsync(
            trial, task -> Thread.ofPlatform().daemon().name("try " + key).start(task));
    try {
      return tried.get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      return unknown("no answer within " + patience.toMillis() + " ms");
    } catch (ExecutionException e) {
      return unknown(String.valueOf(e.getCause()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return unknown("interrupted");
    }
  }

  private static Optional<String> unknown(String why) {
    return Optional.of("unknown: " + why.lines().findFirst().orElse(""));
  }
}
