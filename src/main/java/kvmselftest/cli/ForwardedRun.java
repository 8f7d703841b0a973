package kvmselftest.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import kvmselftest.runner.Console;
import kvmselftest.runner.Demands;
import kvmselftest.runner.ReportFolder;
import kvmselftest.runner.Selection;
import kvmselftest.runner.SelftestRun;
import kvmselftest.runner.Selftests;
import kvmselftest.runner.View;
import org.jspecify.annotations.Nullable;

/**
 * A run as it is told to the program in the emulated host: {@link #MARK}, then each value in its
 * place, then the patterns. Not the options over again, because picocli's classes are older than an
 * AOT cache takes, and to load them costs seconds on an emulated CPU.
 *
 * @param report where the program in there is to leave its report; none if nobody asked for one,
 *     because to write it costs seconds there
 */
record ForwardedRun(
    Selection selection,
    int repeat,
    Duration timeout,
    Demands demands,
    View view,
    boolean trace,
    Optional<Path> report) {
  /** The first argument. */
  static final String MARK = "--forwarded";

  private static final int PATTERNS_FROM = 12;

  List<String> arguments() {
    Stream<?> values =
        Stream.of(
            MARK,
            repeat,
            timeout.toSeconds(),
            demands.noSkips(),
            view.verbose(),
            view.colour(),
            report.map(Path::toString).orElse(""),
            selection.thorough(),
            demands.newestBehaviours(),
            view.failedOnly(),
            view.ktap(),
            trace);
    return Stream.concat(values.map(Object::toString), selection.patterns().stream()).toList();
  }

  static ForwardedRun of(List<String> arguments) {
    List<String> patterns = arguments.subList(PATTERNS_FROM, arguments.size());
    return new ForwardedRun(
        new Selection(patterns, Boolean.parseBoolean(arguments.get(7))),
        Integer.parseInt(arguments.get(1)),
        Duration.ofSeconds(Long.parseLong(arguments.get(2))),
        new Demands(Boolean.parseBoolean(arguments.get(3)), Boolean.parseBoolean(arguments.get(8))),
        new View(
            Boolean.parseBoolean(arguments.get(5)),
            Boolean.parseBoolean(arguments.get(4)),
            Boolean.parseBoolean(arguments.get(9)),
            Boolean.parseBoolean(arguments.get(10))),
        Boolean.parseBoolean(arguments.get(11)),
        Optional.of(arguments.get(6)).filter(path -> !path.isEmpty()).map(Path::of));
  }

  /**
   * The run itself.
   *
   * @throws IOException if the report folder cannot be made
   */
  SelftestRun of(Selftests tests, PrintStream out) throws IOException {
    Console console = Console.marked(out, view);
    @Nullable ReportFolder folder = report.isEmpty() ? null : ReportFolder.create(report.get());
    return new SelftestRun(
        tests,
        selection,
        repeat,
        timeout,
        demands,
        BehaviourTrials::seen,
        HostInspection::facts,
        folder,
        console,
        TracedTests.of(trace, folder));
  }
}
