package kvmselftest.runner;

import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;

/** Tells {@link KtapReport} when a class is through; its tests reach it as outcomes. */
final class KtapListener implements TestExecutionListener {
  private final KtapReport report;
  private final String round;

  KtapListener(KtapReport report, String round) {
    this.report = report;
    this.round = round;
  }

  @Override
  public void executionFinished(TestIdentifier test, TestExecutionResult result) {
    ended(test);
  }

  @Override
  public void executionSkipped(TestIdentifier test, String reason) {
    ended(test);
  }

  private void ended(TestIdentifier test) {
    if (test.getSource().orElse(null) instanceof ClassSource) {
      report.classEnded(round, TestName.of(test).className());
    }
  }
}
