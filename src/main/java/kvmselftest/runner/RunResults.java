package kvmselftest.runner;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import kvmselftest.results.HostFacts;
import kvmselftest.results.Results;
import kvmselftest.results.ResultsJson;
import kvmselftest.results.Status;
import kvmselftest.results.TestResult;
import org.jspecify.annotations.Nullable;

/** Collects what {@code results.json} will say. Any thread may add to it. */
final class RunResults {
  private final Instant started = Instant.now();
  private final long startedAt = System.nanoTime();
  private final HostFacts host;
  private final @Nullable ReportFolder folder;
  private final Map<String, String> behaviours = new LinkedHashMap<>();
  private final List<TestResult> tests = new ArrayList<>();

  /**
   * @param folder where to; null for nowhere, and then nothing is kept: a run may have a hundred
   *     rounds
   */
  RunResults(HostFacts host, @Nullable ReportFolder folder) {
    this.host = host;
    this.folder = folder;
  }

  synchronized void add(SeenBehaviour behaviour) {
    behaviours.put(behaviour.key(), behaviour.seen());
  }

  synchronized TestResult add(int round, Outcome outcome) {
    TestResult test =
        new TestResult(
            outcome.name().toString(),
            outcome.name().className(),
            round,
            status(outcome.result()),
            outcome.message(),
            outcome.took(),
            outcome.published());
    if (folder != null) {
      tests.add(test);
    }
    return test;
  }

  /**
   * Writes the file.
   *
   * @param verdict as {@link Results} has it
   * @param reason why there is none, or empty
   * @throws IOException if it cannot be written
   */
  synchronized void write(String verdict, String reason) throws IOException {
    if (folder == null) {
      return;
    }
    Duration took = Duration.ofNanos(System.nanoTime() - startedAt);
    Results results =
        new Results(Results.thisTool(), started, took, verdict, reason, host, behaviours, tests);
    ResultsJson.write(results, folder.path());
  }

  private static Status status(Result result) {
    return switch (result) {
      case PASS -> Status.PASS;
      case SKIP -> Status.SKIP;
      case FAIL, TIMEOUT, ERROR -> Status.FAIL;
    };
  }
}
