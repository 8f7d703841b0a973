package kvmselftest.runner;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import kvmselftest.results.Published;
import kvmselftest.results.Results;
import org.jspecify.annotations.Nullable;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestPlan;
import org.junit.platform.launcher.core.LauncherExecutionRequestBuilder;

/**
 * The rounds of one run. The tests run in a thread of their own; the caller's waits for it, so that
 * a test that never ends does not keep the run from its summary.
 */
final class Execution {
  private static final Duration GLANCE = Duration.ofMillis(100);

  private final SelftestRun run;
  private final Launcher launcher;
  private final @Nullable ReportFolder folder;
  private final ConsoleReport report;
  private final RunResults results;
  private final KtapReport ktap;
  private @Nullable EventGate gate;
  private boolean stuck;
  private boolean over;

  Execution(SelftestRun run, Launcher launcher) {
    this.run = run;
    this.launcher = launcher;
    this.folder = run.report();
    this.report = new ConsoleReport(run.console());
    this.results = new RunResults(run.host().get(), folder);
    this.ktap = new KtapReport(run.console()::ktap, run.console().verbose());
  }

  ExitStatus run(TestPlan first) throws IOException {
    results.write(Results.NO_VERDICT, "the run did not come to its end");
    Thread hook = new Thread(this::interrupted, "summary-on-interrupt");
    Runtime.getRuntime().addShutdownHook(hook);
    ExitStatus status;
    ktap.begin(KtapPlan.of(first), run.repeat());
    HostFacts.lines().forEach(ktap::diagnostic);
    try (var _ = new SetProperties(showBehaviours())) {
      rounds(first);
      status = finish();
    }
    removeHook(hook);
    return status;
  }

  /** Each as soon as it was seen: one that crashes the kernel is the one after the last line. */
  private Map<String, String> showBehaviours() {
    Map<String, String> properties = new HashMap<>();
    run.behaviours()
        .get()
        .forEach(
            behaviour -> {
              run.console().line(behaviour.toString());
              results.add(behaviour);
              ktap.diagnostic("behaviour: " + behaviour.key() + " " + behaviour.seen());
              properties.put(behaviour.property(), behaviour.seen());
            });
    return properties;
  }

  private void rounds(TestPlan first) {
    TestPlan plan = first;
    int round = 1;
    while (round(round, plan) && round < run.repeat() && !isOver()) {
      // Else one who looks at failures alone sees nothing for as long as all is well.
      Totals totals = report.totals();
      run.console()
          .line(
              "# round %sended; so far %d passed, %d failed, %d skipped"
                  .formatted(
                      prefix(round), totals.pass(), totals.fail() + totals.error(), totals.skip()));
      // A plan serves once.
      plan = launcher.discover(run.tests().request(run.selection(), run.demands()));
      round++;
    }
  }

  /** Whether the round came to its end. */
  private boolean round(int round, TestPlan plan) {
    String prefix = prefix(round);
    List<TestExecutionListener> listeners = new ArrayList<>();
    @Nullable TestLogs logs =
        folder == null ? null : new TestLogs(folder.ofRound(round, run.repeat()));
    listeners.add(new OutcomeListener(plan, prefix, outcome -> add(round, outcome, logs)));
    listeners.add(new KtapListener(ktap, prefix));
    listeners.add(new ForwardingListener(run.console(), round));
    listeners.add(new WatchListener(run.watch(), prefix));
    @Nullable XmlReport xml =
        folder == null ? null : new XmlReport(folder.ofRound(round, run.repeat()), plan);
    if (xml != null) {
      listeners.add(xml);
    }
    boolean ended = execute(plan, openGate(listeners), round);
    if (xml != null) {
      xml.trouble().ifPresent(trouble -> fail(round, "report", trouble));
    }
    if (logs != null) {
      logs.trouble().ifPresent(trouble -> fail(round, "report", trouble));
    }
    return ended;
  }

  private void add(int round, Outcome outcome) {
    report.add(outcome);
    ktap.add(outcome);
    run.console().forward(LineMark.TEST_ENDED, results.add(round, outcome));
  }

  private String prefix(int round) {
    return run.repeat() == 1 ? "" : round + "/" + run.repeat() + " ";
  }

  private boolean execute(TestPlan plan, EventGate events, int round) {
    Thread tests = new Thread(() -> execute(plan, events), "selftests");
    tests.setDaemon(true);
    tests.setUncaughtExceptionHandler((thread, e) -> fail(round, "JUnit", FailureText.of(e, "")));
    tests.start();
    while (!stuck && !join(tests)) {
      stuck = events.shutIfStuck(run.timeout());
    }
    return !stuck;
  }

  private void execute(TestPlan plan, EventGate events) {
    launcher.execute(LauncherExecutionRequestBuilder.request(plan).listeners(events).build());
  }

  private void fail(int round, String what, String message) {
    TestName name = new TestName(what, "", "");
    add(
        round,
        new Outcome(prefix(round), name, Result.FAIL, message, Duration.ZERO, Published.NOTHING));
  }

  private void add(int round, Outcome outcome, @Nullable TestLogs logs) {
    if (logs != null) {
      logs.add(outcome);
    }
    add(round, outcome);
  }

  private synchronized EventGate openGate(List<TestExecutionListener> listeners) {
    gate = new EventGate(listeners);
    return gate;
  }

  private synchronized ExitStatus finish() {
    ExitStatus status = report.totals().status(run.demands().noSkips());
    boolean reported = over || end(status.name().toLowerCase(Locale.ROOT), "", cut());
    return reported ? status : ExitStatus.FAILED;
  }

  private String cut() {
    return stuck
        ? "a test did not end within %d s, and ended the run".formatted(run.timeout().toSeconds())
        : "JUnit ended before all tests had run";
  }

  /** Runs when the JVM is told to end before the run has ended. */
  private synchronized void interrupted() {
    if (!over && gate != null) {
      gate.shut(new InterruptedRunException());
      end(Results.NO_VERDICT, "interrupted", "interrupted");
    }
  }

  /** Whether the whole report is written. */
  private boolean end(String verdict, String reason, String cut) {
    over = true;
    report.summary();
    ktap.end(report.totals(), cut);
    try {
      results.write(verdict, reason);
      run.watch().close();
      if (folder != null) {
        String why = reason.isEmpty() ? "" : ", " + reason;
        folder.writeVerdict(verdict + why + " " + report.totals());
      }
      if (!run.console().closeLogs()) {
        throw new IOException("run.log or results.ktap is incomplete");
      }
      return true;
    } catch (IOException e) {
      run.console().trouble("error: cannot write the report: " + e);
      return false;
    }
  }

  private synchronized boolean isOver() {
    return over;
  }

  private static boolean join(Thread thread) {
    try {
      return thread.join(GLANCE);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return true;
    }
  }

  private static void removeHook(Thread hook) {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The JVM is ending, and the hook has run or will find that all is over.
    }
  }
}
