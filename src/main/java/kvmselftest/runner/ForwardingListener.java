package kvmselftest.runner;

import java.time.Duration;
import kvmselftest.results.Published;
import kvmselftest.results.Status;
import kvmselftest.results.TestResult;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;

/**
 * Tells the launcher outside of the emulated host which test begins: when the kernel in there dies,
 * that is the one it died of.
 */
final class ForwardingListener implements TestExecutionListener {
  private final Console console;
  private final int round;

  ForwardingListener(Console console, int round) {
    this.console = console;
    this.round = round;
  }

  @Override
  public void executionStarted(TestIdentifier test) {
    if (test.isTest()) {
      TestName name = TestName.of(test);
      console.forward(
          LineMark.TEST_BEGUN,
          new TestResult(
              name.toString(),
              name.className(),
              round,
              Status.FAIL,
              "did not end",
              Duration.ZERO,
              Published.NOTHING));
    }
  }
}
