package kvmselftest.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import kvmselftest.results.HostFacts;
import kvmselftest.results.Results;
import kvmselftest.results.ResultsJson;
import kvmselftest.results.TestResult;
import kvmselftest.runner.ReportFolder;
import org.jspecify.annotations.Nullable;

/**
 * What this side writes into the report of a run in the emulated host: {@code results.json} until
 * the program in there has left one that is whole, and the page. Not for more than one thread at a
 * time.
 */
final class EmulatedReport {
  private final @Nullable ReportFolder folder;
  private final Instant started = Instant.now();
  private volatile HostFacts host = HostFacts.ofEmulated("", "");

  /**
   * @param folder or null, and then nothing is written
   */
  EmulatedReport(@Nullable ReportFolder folder) {
    this.folder = folder;
  }

  /** What stands if this program ends without a word. */
  void begin() throws IOException {
    write("the run did not come to its end", List.of());
  }

  /** The folder, for what the program in there leaves. */
  Optional<Path> path() {
    return Optional.ofNullable(folder).map(ReportFolder::path);
  }

  /** What is known of the host before it has said anything itself. */
  void host(String kernel, String emulator) {
    host = HostFacts.ofEmulated(kernel, emulator);
  }

  /**
   * What the program in there would have said of its tests is lost without a verdict; what it has
   * told of them is not.
   *
   * @param noVerdict why there is none, if so
   */
  void end(Optional<String> noVerdict, ForwardedOutput output) throws IOException {
    if (noVerdict.isPresent()) {
      write(noVerdict.get(), output.tests(noVerdict.get()));
    }
    ReportPage.write(folder);
  }

  private void write(String reason, List<TestResult> tests) throws IOException {
    if (folder != null) {
      ResultsJson.write(Results.withoutVerdict(started, reason, host, tests), folder.path());
    }
  }
}
