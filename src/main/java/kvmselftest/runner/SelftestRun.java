package kvmselftest.runner;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.TestPlan;

/**
 * A run of the selftests in this JVM.
 *
 * @param tests the tests there are
 * @param selection those of them to run
 * @param repeat how often, 1 or more
 * @param timeout how long one test may take; one that takes longer is reported and ends the run,
 *     and its thread is left behind, so that the caller does best to end the process
 * @param failOnSkip whether a test that cannot run here is a failure
 * @param report where JUnit XML and {@code run.log} go, or null
 * @param console where the text goes
 */
public record SelftestRun(
    Selftests tests,
    Selection selection,
    int repeat,
    Duration timeout,
    boolean failOnSkip,
    @Nullable Path report,
    Console console) {

  /**
   * Runs the tests. If the JVM is told to end meanwhile (Ctrl-C), the summary so far is still
   * printed. One run at a time in a JVM: the tests read a system property that is set for it.
   *
   * @return what to exit with
   */
  public ExitStatus run() {
    String before = System.setProperty(Selftests.FAIL_ON_SKIP, Boolean.toString(failOnSkip));
    try {
      return report == null ? runInto(null) : runInto(ReportFolder.create(report));
    } catch (IOException e) {
      console.line("error: cannot write to %s (%s); see --report".formatted(report, e));
      return ExitStatus.FAILED;
    } finally {
      restore(before);
    }
  }

  private ExitStatus runInto(@Nullable ReportFolder folder) throws IOException {
    if (folder != null) {
      console.keepLog(folder.path().resolve("run.log"));
      console.line("report: " + folder.path());
    }
    Launcher launcher = Selftests.launcher();
    TestPlan plan = launcher.discover(tests.request(selection, failOnSkip));
    List<String> unmatched = selection.unmatchedIn(plan);
    return unmatched.isEmpty()
        ? new Execution(this, launcher, folder).run(plan)
        : refuse(unmatched);
  }

  private ExitStatus refuse(List<String> unmatched) {
    unmatched.forEach(
        pattern -> console.line("error: --tests '%s' matches no test".formatted(pattern)));
    console.line("There are:");
    tests.names(Selection.all()).forEach(name -> console.line("  " + name));
    console.closeLog();
    return ExitStatus.FAILED;
  }

  private static void restore(@Nullable String before) {
    if (before == null) {
      System.clearProperty(Selftests.FAIL_ON_SKIP);
    } else {
      System.setProperty(Selftests.FAIL_ON_SKIP, before);
    }
  }
}
