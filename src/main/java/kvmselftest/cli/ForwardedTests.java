package kvmselftest.cli;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import kvmselftest.results.Results;
import kvmselftest.results.TestResult;
import kvmselftest.review.NotResultsException;
import kvmselftest.review.ResultsReader;

/**
 * The tests that run in the emulated host, as far as they have been told of: all that is known of
 * them when it dies. Not for more than one thread at a time.
 */
final class ForwardedTests {
  /** A test is one of its kind in its round. */
  private record Key(String name, int round) {
    static Key of(TestResult test) {
      return new Key(test.name(), test.round());
    }
  }

  /** One that has begun, and when that was heard. */
  private record Running(TestResult test, long since) {
    Duration time() {
      return Duration.ofNanos(System.nanoTime() - since);
    }

    TestResult cutOff(String why) {
      String reason = why.replaceFirst("^" + Results.NO_VERDICT + ": ", "");
      return test.cutOff(test.message() + ": " + reason, time());
    }

    @Override
    public String toString() {
      return "%s, for %d s".formatted(test.name(), time().toSeconds());
    }
  }

  private final Map<Key, TestResult> ended = new LinkedHashMap<>();
  private final Map<Key, Running> running = new LinkedHashMap<>();

  void begun(String line) {
    try {
      TestResult test = ResultsReader.test(line);
      running.put(Key.of(test), new Running(test, System.nanoTime()));
    } catch (NotResultsException e) {
      // Another process in there has written into the line.
    }
  }

  void ended(String line) {
    try {
      TestResult test = ResultsReader.test(line);
      running.remove(Key.of(test));
      ended.put(Key.of(test), test);
    } catch (NotResultsException e) {
      // As above: the test stays one that is not known to have ended.
    }
  }

  /** Those that have begun and not ended, and for how long they have been running. */
  List<String> running() {
    return running.values().stream().map(Running::toString).toList();
  }

  /**
   * Those that have ended, in that order, and what was running, as failed.
   *
   * @param why the run was cut off
   */
  List<TestResult> cutOff(String why) {
    return Stream.concat(
            ended.values().stream(), running.values().stream().map(test -> test.cutOff(why)))
        .toList();
  }
}
