package kvmselftest.runner;

import java.util.HashSet;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;

/**
 * What counts as a test that has ended, the same for every report. A class or a method with cases
 * that is skipped counts as many skips as it has methods; one that fails itself (its set-up, its
 * source of cases) counts as one failure.
 */
abstract class EndedTests implements TestExecutionListener {
  private final TestPlan plan;
  private final Set<TestIdentifier> told = new HashSet<>();

  EndedTests(TestPlan plan) {
    this.plan = plan;
  }

  /** All that it asserts holds. */
  abstract void passed(TestIdentifier test);

  /** It cannot run here, or gave up; it may have started. */
  abstract void skipped(TestIdentifier test, String reason);

  /** It, or what was to be done before or after its tests, failed or was cut off. */
  abstract void failed(TestIdentifier test, @Nullable Throwable cause);

  @Override
  public void executionSkipped(TestIdentifier test, String reason) {
    methodsOf(test).filter(told::add).forEach(method -> skipped(method, reason));
  }

  @Override
  public void executionFinished(TestIdentifier test, TestExecutionResult result) {
    @Nullable Throwable cause = result.getThrowable().orElse(null);
    switch (result.getStatus()) {
      case SUCCESSFUL -> {
        if (test.isTest() && told.add(test)) {
          passed(test);
        }
      }
      case ABORTED -> executionSkipped(test, FailureText.reasonOf(cause));
      case FAILED -> {
        if (told.add(test)) {
          failed(test, cause);
        }
      }
    }
  }

  private Stream<TestIdentifier> methodsOf(TestIdentifier test) {
    boolean method = test.getSource().orElse(null) instanceof MethodSource;
    return method || test.isTest()
        ? Stream.of(test)
        : plan.getChildren(test).stream().flatMap(this::methodsOf);
  }
}
