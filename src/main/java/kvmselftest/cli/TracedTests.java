package kvmselftest.cli;

import java.io.IOException;
import kvmselftest.runner.ReportFolder;
import kvmselftest.runner.TestWatch;
import kvmselftest.trace.ClockTraceFiles;
import org.jspecify.annotations.Nullable;

/** {@code --trace}: what {@link ClockTraceFiles} is told of the tests. */
final class TracedTests implements TestWatch {
  private final ClockTraceFiles files;

  private TracedTests(ClockTraceFiles files) {
    this.files = files;
  }

  /**
   * Begins to trace, if that is asked for.
   *
   * @throws IOException if the files cannot be written
   */
  static TestWatch of(boolean trace, @Nullable ReportFolder report) throws IOException {
    return trace && report != null ? new TracedTests(new ClockTraceFiles(report.path())) : NONE;
  }

  @Override
  public void started(String test) {
    files.begin(test);
  }

  @Override
  public void ended() {
    files.flush();
  }

  @Override
  public void close() throws IOException {
    files.close();
  }
}
