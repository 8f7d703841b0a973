package kvmselftest.runner;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;

/**
 * Prints each reason for skipping once at the end of {@code mvn test}, which by itself only counts.
 * Found by JUnit as a service; the launcher, which has a console of its own, looks for none.
 */
public final class SkipReasonsListener implements TestExecutionListener {
  private final List<Outcome> outcomes = new ArrayList<>();
  private @Nullable OutcomeListener events;

  @Override
  public void testPlanExecutionStarted(TestPlan plan) {
    events = new OutcomeListener(plan, "", outcomes::add);
  }

  @Override
  public void executionSkipped(TestIdentifier test, String reason) {
    if (events != null) {
      events.executionSkipped(test, reason);
    }
  }

  @Override
  public void executionFinished(TestIdentifier test, TestExecutionResult result) {
    if (events != null) {
      events.executionFinished(test, result);
    }
  }

  @Override
  public void testPlanExecutionFinished(TestPlan plan) {
    new SkipReasons(outcomes).lines().forEach(System.out::println);
  }
}
