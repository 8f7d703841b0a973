package kvmselftest.runner;

import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import kvmselftest.results.Published;
import org.jspecify.annotations.Nullable;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.reporting.ReportEntry;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;

/**
 * Makes outcomes of the platform's events. A class or a method with cases that is skipped counts as
 * many skips as it has methods; one that fails itself (its set-up, its source of cases) counts as
 * one failure.
 */
final class OutcomeListener implements TestExecutionListener {
  private final TestPlan plan;
  private final String round;
  private final Consumer<Outcome> outcomes;

  private final Map<TestIdentifier, Long> startedAt = new HashMap<>();
  private final Map<TestIdentifier, Published> published = new HashMap<>();
  private final Set<TestIdentifier> told = new HashSet<>();

  OutcomeListener(TestPlan plan, String round, Consumer<Outcome> outcomes) {
    this.plan = plan;
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
  public void executionSkipped(TestIdentifier test, String reason) {
    tellSkipped(test, reason);
  }

  @Override
  public void executionFinished(TestIdentifier test, TestExecutionResult result) {
    @Nullable Throwable cause = result.getThrowable().orElse(null);
    switch (result.getStatus()) {
      case SUCCESSFUL -> {
        if (test.isTest()) {
          tell(test, Result.PASS, "");
        }
      }
      case ABORTED -> tellSkipped(test, FailureText.reasonOf(cause));
      case FAILED -> {
        tell(test, kind(cause), FailureText.of(cause, TestName.classOf(test)));
      }
    }
  }

  private static Result kind(@Nullable Throwable cause) {
    return switch (cause) {
      case InterruptedRunException _ -> Result.ERROR;
      case StuckTestException _ -> Result.TIMEOUT;
      case null, default -> Result.FAIL;
    };
  }

  private void tellSkipped(TestIdentifier test, String reason) {
    methodsOf(test).forEach(method -> tell(method, Result.SKIP, reason));
  }

  private void tell(TestIdentifier test, Result result, String message) {
    if (told.add(test)) {
      Published values = published.getOrDefault(test, Published.NOTHING);
      outcomes.accept(new Outcome(round, TestName.of(test), result, message, took(test), values));
    }
  }

  private Stream<TestIdentifier> methodsOf(TestIdentifier test) {
    boolean method = test.getSource().orElse(null) instanceof MethodSource;
    return method || test.isTest()
        ? Stream.of(test)
        : plan.getChildren(test).stream().flatMap(this::methodsOf);
  }

  private Duration took(TestIdentifier test) {
    Long start = startedAt.get(test);
    return start == null ? Duration.ZERO : Duration.ofNanos(System.nanoTime() - start);
  }
}
