package kvmselftest.runner;

import java.time.Duration;
import kvmselftest.results.Published;

/**
 * A test that has ended.
 *
 * @param round which of the repeated rounds, as {@code 2/5 }; empty when there is one round
 * @param name the test
 * @param result what became of it
 * @param message why it failed or was skipped, one line or more; empty when it passed
 * @param took how long it ran; zero for one that was skipped before it began
 * @param published what the test said of itself
 */
record Outcome(
    String round,
    TestName name,
    Result result,
    String message,
    Duration took,
    Published published) {
  /** The test's name, with its round. */
  String title() {
    return round + name;
  }

  /** The first line of the message. */
  String reason() {
    return message.lines().findFirst().orElse("no reason given");
  }
}
