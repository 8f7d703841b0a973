package kvmselftest.runner;

import static kvmselftest.results.Published.CHART;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.reporting.ReportEntry;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;
import org.junit.platform.reporting.legacy.xml.LegacyXmlReportGeneratingListener;

/**
 * JUnit XML, written by the platform's own listener, of the tests that have ended, each by the name
 * that it has in every report.
 */
final class XmlReport extends EndedTests {
  private final StringWriter trouble = new StringWriter();
  private final LegacyXmlReportGeneratingListener writer;
  private final XmlPlan ended;

  /** Writes to {@code TEST-junit-jupiter.xml} in the folder, which is made. */
  XmlReport(Path folder, TestPlan plan) {
    super(plan);
    ended = new XmlPlan(plan);
    writer = new LegacyXmlReportGeneratingListener(folder, new PrintWriter(trouble, true));
    writer.testPlanExecutionStarted(ended.plan());
  }

  /** Why the file could not be written, if so. */
  Optional<String> trouble() {
    return trouble
        .toString()
        .lines()
        .map(String::strip)
        .filter(line -> !line.isEmpty())
        .findFirst();
  }

  @Override
  public void executionStarted(TestIdentifier test) {
    writer.executionStarted(test);
  }

  /** What charts are drawn of is for programs, and long: it is in results.json alone. */
  @Override
  public void reportingEntryPublished(TestIdentifier test, ReportEntry entry) {
    if (entry.getKeyValuePairs().keySet().stream().noneMatch(key -> key.startsWith(CHART))) {
      writer.reportingEntryPublished(test, entry);
    }
  }

  @Override
  void passed(TestIdentifier test) {
    ended.add(test);
    writer.executionFinished(test, TestExecutionResult.successful());
  }

  /**
   * The reason alone goes in; of an aborted test the writer would give the whole stack trace. It
   * takes a skip after a start as well.
   */
  @Override
  void skipped(TestIdentifier test, String reason) {
    ended.add(test);
    writer.executionSkipped(test, reason);
  }

  @Override
  void failed(TestIdentifier test, @Nullable Throwable cause) {
    ended.add(test);
    writer.executionFinished(test, TestExecutionResult.failed(cause));
  }

  /** The end of the engine is the end of the file; what is wrong with it is said of all tests. */
  @Override
  public void executionFinished(TestIdentifier test, TestExecutionResult result) {
    if (test.getParentIdObject().isEmpty()) {
      writer.executionFinished(test, result);
    } else {
      super.executionFinished(test, result);
    }
  }
}
