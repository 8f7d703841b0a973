package kvmselftest.cli;

import java.io.IOException;
import kvmselftest.review.NotResultsException;
import kvmselftest.review.ResultsReader;
import kvmselftest.review.page.HtmlPage;
import kvmselftest.runner.ReportFolder;
import org.jspecify.annotations.Nullable;

/** The page about a run that has ended. */
final class ReportPage {
  private ReportPage() {}

  /** Writes it beside results.json; without one there is nothing to write. */
  static void write(@Nullable ReportFolder report) throws IOException {
    // Seeded bugs are tried by this program in the emulated host, where nobody reads a page.
    if (report == null || !HtmlPage.isPossible()) {
      return;
    }
    try {
      HtmlPage.write(ResultsReader.read(report.path()), report.path());
    } catch (NotResultsException e) {
      // The run was refused before it began, and has said why.
    }
  }
}
