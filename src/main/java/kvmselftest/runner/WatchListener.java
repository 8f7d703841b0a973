package kvmselftest.runner;

import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;

/** Tells a {@link TestWatch} of each test. */
final class WatchListener implements TestExecutionListener {
  private final TestWatch watch;
  private final String round;

  WatchListener(TestWatch watch, String round) {
    this.watch = watch;
    this.round = round;
  }

  @Override
  public void executionStarted(TestIdentifier test) {
    if (test.isTest()) {
      watch.started(round + TestName.of(test));
    }
  }

  @Override
  public void executionFinished(TestIdentifier test, TestExecutionResult result) {
    if (test.isTest()) {
      watch.ended();
    }
  }
}
