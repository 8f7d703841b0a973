package kvmselftest.cli;

import java.io.IOException;
import kvmselftest.runner.ReportFolder;
import kvmselftest.runner.TestWatch;
import org.jspecify.annotations.Nullable;

/**
 * Writes the page when the run is over, whichever end it has come to.
 *
 * @param watch what else there is to tell of the tests
 * @param report where results.json is by then, or null
 */
record PageAtEnd(TestWatch watch, @Nullable ReportFolder report) implements TestWatch {
  @Override
  public void started(String test) {
    watch.started(test);
  }

  @Override
  public void ended() {
    watch.ended();
  }

  @Override
  public void close() throws IOException {
    watch.close();
    ReportPage.write(report);
  }
}
