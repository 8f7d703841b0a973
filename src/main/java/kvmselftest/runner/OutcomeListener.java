package kvmselftest.runner;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import kvmselftest.results.Published;
import org.jspecify.annotations.Nullable;
import org.junit.platform.engine.reporting.ReportEntry;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;

/** Makes outcomes of the platform's events. */
final class OutcomeListener extends EndedTests {
  private final String round;
  private final Consumer<Outcome> outcomes;

  private final Map<TestIdentifier, Long> startedAt = new HashMap<>();
  private final Map<TestIdentifier, Published> published = new HashMap<>();

  OutcomeListener(TestPlan plan, String round, Consumer<Outcome> outcomes) {
    super(plan);
    this.round = round;
    this.outcomes = outcomes;
  }

  @Override
  public void executionStarted(TestIdentifier test) {
    startedAt.put(test, System.nanoTime());
  }

  @Override
  public void reportingEntryPublished(TestIdentifier test, ReportEntry entry) {
    Published all = published.getOrDefault(test, Published.NOTHING);
    for (Map.Entry<String, String> value : entry.getKeyValuePairs().entrySet()) {
      all = all.plus(value.getKey(), value.getValue());
    }
    published.put(test, all);
  }

  @Override
  void passed(TestIdentifier test) {
    tell(test, Result.PASS, "");
  }

  @Override
  void skipped(TestIdentifier test, String reason) {
    tell(test, Result.SKIP, reason);
  }

  @Override
  void failed(TestIdentifier test, @Nullable Throwable cause) {
    tell(test, kind(cause), FailureText.of(cause, TestName.classOf(test)));
  }

  private static Result kind(@Nullable Throwable cause) {
    return switch (cause) {
      case InterruptedRunException _ -> Result.ERROR;
      case StuckTestException _ -> Result.TIMEOUT;
      case null, default -> Result.FAIL;
    };
  }

  private void tell(TestIdentifier test, Result result, String message) {
    Published values = published.getOrDefault(test, Published.NOTHING);
    outcomes.accept(new Outcome(round, TestName.of(test), result, message, took(test), values));
  }

  private Duration took(TestIdentifier test) {
    Long start = startedAt.get(test);
    return start == null ? Duration.ZERO : Duration.ofNanos(System.nanoTime() - start);
  }
}
