package kvmselftest.runner;

import static kvmselftest.results.Published.CHART;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.TestExecutionResult.Status;
import org.junit.platform.engine.reporting.ReportEntry;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;
import org.junit.platform.reporting.legacy.xml.LegacyXmlReportGeneratingListener;

/**
 * JUnit XML, written by the platform's own listener. That one gives an aborted test's whole stack
 * trace as the reason why it was skipped; here the reason alone goes in.
 */
final class XmlReport implements TestExecutionListener {
  private final StringWriter trouble = new StringWriter();
  private final LegacyXmlReportGeneratingListener writer;

  /** Writes to {@code TEST-junit-jupiter.xml} in the folder, which is made. */
  XmlReport(Path folder) {
    writer = new LegacyXmlReportGeneratingListener(folder, new PrintWriter(trouble, true));
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
  public void testPlanExecutionStarted(TestPlan plan) {
    writer.testPlanExecutionStarted(plan);
  }

  @Override
  public void testPlanExecutionFinished(TestPlan plan) {
    writer.testPlanExecutionFinished(plan);
  }

  @Override
  public void executionStarted(TestIdentifier test) {
    writer.executionStarted(test);
  }

  @Override
  public void executionSkipped(TestIdentifier test, String reason) {
    writer.executionSkipped(test, reason);
  }

  /** What charts are drawn of is for programs, and long: it is in results.json alone. */
  @Override
  public void reportingEntryPublished(TestIdentifier test, ReportEntry entry) {
    if (entry.getKeyValuePairs().keySet().stream().noneMatch(key -> key.startsWith(CHART))) {
      writer.reportingEntryPublished(test, entry);
    }
  }

  /** The writer takes a skip after a start as well. */
  @Override
  public void executionFinished(TestIdentifier test, TestExecutionResult result) {
    if (result.getStatus() == Status.ABORTED) {
      writer.executionSkipped(test, FailureText.reasonOf(result.getThrowable().orElse(null)));
    } else {
      writer.executionFinished(test, result);
    }
  }
}
