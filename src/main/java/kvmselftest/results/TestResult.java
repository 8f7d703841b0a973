package kvmselftest.results;

import java.time.Duration;

/**
 * One test, or one case of it.
 *
 * @param name as the console has it; one of its kind in its round
 * @param className as {@code --tests} takes it
 * @param round from 1 on, of the rounds that {@code --repeat} makes
 * @param status what became of it
 * @param message why it failed or was skipped, one line or more; empty when it passed
 * @param took how long it ran; zero for one that was skipped before it began
 * @param published what it said of itself
 */
public record TestResult(
    String name,
    String className,
    int round,
    Status status,
    String message,
    Duration took,
    Published published) {

  /** The same without what it said of itself. */
  public TestResult unpublished() {
    return new TestResult(name, className, round, status, message, took, Published.NOTHING);
  }

  /** What it is when it was cut off, after so long. */
  public TestResult cutOff(String why, Duration after) {
    return new TestResult(name, className, round, Status.FAIL, why, after, published);
  }

  /** The first line of the message. */
  public String reason() {
    return message.lines().findFirst().orElse("no reason given");
  }
}
