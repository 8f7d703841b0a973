package kvmselftest.runner;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.reporting.ReportEntry;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;

/**
 * Hands the platform's events on until it is shut. Shutting it ends the test that is running, in
 * the listeners' eyes, with a failure, and then what contains it, so that they write their reports
 * even though the test itself goes on: a thread blocked in a system call cannot be stopped.
 *
 * <p>Events come from the thread that runs the tests, shutting from any other.
 */
final class EventGate implements TestExecutionListener {
  private final List<TestExecutionListener> listeners;
  private final Deque<TestIdentifier> running = new ArrayDeque<>();
  private Thread runner = Thread.currentThread();
  private long lastEvent = System.nanoTime();
  private boolean shut;

  EventGate(List<TestExecutionListener> listeners) {
    this.listeners = listeners;
  }

  /** Shuts the gate if the running test began, or the last one ended, longer ago than that. */
  synchronized boolean shutIfStuck(Duration bound) {
    boolean stuck = !shut && System.nanoTime() - lastEvent > bound.toNanos();
    if (stuck) {
      shut(StuckTestException.at(runner, bound));
    }
    return stuck;
  }

  /** Lets no more events through; does nothing the second time. */
  synchronized void shut(CutOffException cause) {
    if (shut) {
      return;
    }
    TestExecutionResult result = TestExecutionResult.failed(cause);
    while (!running.isEmpty()) {
      finish(running.pop(), result);
      result = TestExecutionResult.successful();
    }
    shut = true;
  }

  private void finish(TestIdentifier test, TestExecutionResult result) {
    listeners.forEach(listener -> listener.executionFinished(test, result));
  }

  @Override
  public void dynamicTestRegistered(TestIdentifier test) {
    pass(listener -> listener.dynamicTestRegistered(test));
  }

  @Override
  public synchronized void executionStarted(TestIdentifier test) {
    runner = Thread.currentThread();
    running.push(test);
    pass(listener -> listener.executionStarted(test));
  }

  @Override
  public synchronized void executionFinished(TestIdentifier test, TestExecutionResult result) {
    running.remove(test);
    pass(listener -> listener.executionFinished(test, result));
  }

  @Override
  public void executionSkipped(TestIdentifier test, String reason) {
    pass(listener -> listener.executionSkipped(test, reason));
  }

  @Override
  public synchronized void reportingEntryPublished(TestIdentifier test, ReportEntry entry) {
    if (!shut) {
      listeners.forEach(listener -> listener.reportingEntryPublished(test, entry));
    }
  }

  private synchronized void pass(Consumer<TestExecutionListener> event) {
    if (!shut) {
      lastEvent = System.nanoTime();
      listeners.forEach(event);
    }
  }
}
