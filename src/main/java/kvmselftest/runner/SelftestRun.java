package kvmselftest.runner;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import kvmselftest.results.HostFacts;
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
 * @param demands what it asks for beyond tests that do not fail
 * @param behaviours what is found out about the kernel before the tests run, one at a time; not
 *     asked for unless there is something to run
 * @param host what results.json is to say of this machine
 * @param report where JUnit XML, {@code results.json}, {@code run.log} and the verdict go, or null
 * @param console where the text goes
 * @param watch follows it test by test
 */
public record SelftestRun(
    Selftests tests,
    Selection selection,
    int repeat,
    Duration timeout,
    Demands demands,
    Supplier<Stream<SeenBehaviour>> behaviours,
    Supplier<HostFacts> host,
    @Nullable ReportFolder report,
    Console console,
    TestWatch watch) {

  /**
   * Runs the tests. If the JVM is told to end meanwhile (Ctrl-C), the summary so far is still
   * printed. One run at a time in a JVM: the tests read system properties that are set for it.
   *
   * @return what to exit with
   */
  public ExitStatus run() {
    try (var _ = new SetProperties(demands.parameters())) {
      return discover();
    } catch (IOException e) {
      console.trouble("error: cannot write the report: " + e);
      return ExitStatus.FAILED;
    }
  }

  private ExitStatus discover() throws IOException {
    if (report != null) {
      console.keepLogs(report.path().resolve("run.log"), report.path().resolve("results.ktap"));
    }
    Launcher launcher = Selftests.launcher();
    TestPlan plan = launcher.discover(tests.request(selection, demands));
    List<String> refusal = tests.refusal(selection, plan);
    return refusal.isEmpty() ? new Execution(this, launcher).run(plan) : refuse(refusal);
  }

  private ExitStatus refuse(List<String> refusal) throws IOException {
    refusal.forEach(console::trouble);
    new KtapReport(console::ktap, false).refuse(refusal.getFirst());
    if (report != null) {
      report.writeVerdict("failed, a pattern matches no test");
    }
    console.closeLogs();
    return ExitStatus.FAILED;
  }
}
