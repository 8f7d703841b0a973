package kvmselftest.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import kvmselftest.host.HostException;
import kvmselftest.host.cache.CacheFolder;
import kvmselftest.review.Comparison;
import kvmselftest.review.NotResultsException;
import kvmselftest.review.ResultsReader;
import kvmselftest.runner.Console;
import kvmselftest.runner.ExitStatus;
import kvmselftest.runner.ReportFolder;
import kvmselftest.runner.SeenBehaviour;
import kvmselftest.runner.SelftestRun;
import kvmselftest.runner.Selftests;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/**
 * From a command line to an exit status.
 *
 * @param tests the tests there are
 * @param kvmUnusable why this machine's KVM cannot be used; empty if it can
 * @param behaviours what this machine's kernel does where kernels rightly differ
 * @param emulated the other way to run them
 * @param environment the process's environment variables
 * @param out for what was asked for
 * @param err for complaints about the command line
 */
record Launch(
    Supplier<Selftests> tests,
    Supplier<Optional<String>> kvmUnusable,
    Supplier<Stream<SeenBehaviour>> behaviours,
    EmulatedRun emulated,
    Map<String, String> environment,
    PrintStream out,
    PrintStream err) {

  ExitStatus run(String... arguments) {
    Options options = new Options();
    CommandLine commandLine = new CommandLine(options).setCaseInsensitiveEnumValuesAllowed(true);
    try {
      commandLine.parseArgs(arguments);
    } catch (ParameterException e) {
      return usage(String.valueOf(e.getMessage()));
    }
    if (options.help || options.version) {
      return show(commandLine, options);
    }
    return new OptionsCheck(options).complaint().map(this::usage).orElseGet(() -> run(options));
  }

  private ExitStatus show(CommandLine commandLine, Options options) {
    if (options.help) {
      commandLine.usage(out, CommandLine.Help.Ansi.OFF);
    } else {
      commandLine.printVersionHelp(out, CommandLine.Help.Ansi.OFF);
    }
    return ExitStatus.PASSED;
  }

  private ExitStatus usage(String complaint) {
    err.println("error: " + complaint.lines().findFirst().orElse("the command line is wrong"));
    err.println("Try 'run-selftests.sh --help'.");
    return ExitStatus.USAGE;
  }

  private ExitStatus run(Options options) {
    if (options.clean) {
      return clean();
    }
    if (options.compare != null) {
      return compare(options.compare);
    }
    if (options.list) {
      return list(options);
    }
    boolean here = onThisMachine(options);
    List<String> refusal = here ? List.of() : refusal(options);
    if (!refusal.isEmpty()) {
      refusal.forEach(told(options)::println);
      if (options.ktap) {
        ForwardedOutput.ktap(out, err).cutOff(refusal.getFirst());
      }
      return ExitStatus.FAILED;
    }
    try {
      @Nullable ReportFolder report = report(options);
      return here ? runHere(options, report) : runEmulated(options, report);
    } catch (IOException e) {
      told(options).println("error: cannot write to %s: %s".formatted(options.report, e));
      return ExitStatus.FAILED;
    }
  }

  private ExitStatus compare(List<Path> given) {
    try {
      Comparison comparison =
          new Comparison(ResultsReader.read(given.getFirst()), ResultsReader.read(given.getLast()));
      comparison.lines().forEach(out::println);
      return comparison.isWorse() ? ExitStatus.FAILED : ExitStatus.PASSED;
    } catch (NotResultsException e) {
      return usage("--compare: " + e.getMessage());
    }
  }

  /** A pattern with a slip in it is not worth booting a machine for. */
  private List<String> refusal(Options options) {
    return options.tests.isEmpty() ? List.of() : tests.get().refusal(options.selection());
  }

  private @Nullable ReportFolder report(Options options) throws IOException {
    if (options.report == null) {
      return null;
    }
    ReportFolder folder = ReportFolder.create(options.report);
    told(options).println("report: " + folder.path());
    return folder;
  }

  private ExitStatus clean() {
    CacheFolder cache = CacheFolder.ofUser(environment);
    try {
      out.println("emptied %s: %d MB".formatted(cache.root(), cache.clean() / 1_000_000));
      return ExitStatus.PASSED;
    } catch (HostException e) {
      err.println("error: " + e.getMessage());
      return ExitStatus.FAILED;
    }
  }

  private ExitStatus list(Options options) {
    List<String> names = tests.get().names(options.selection());
    names.forEach(out::println);
    if (names.isEmpty()) {
      err.println("error: no test matches " + String.join(",", options.tests));
    }
    return names.isEmpty() ? ExitStatus.FAILED : ExitStatus.PASSED;
  }

  private boolean onThisMachine(Options options) {
    if (options.onThisMachine || options.emulated) {
      return options.onThisMachine;
    }
    Optional<String> whyEmulated =
        options.ofEmulatedHost().stream()
            .findFirst()
            .map(name -> name + " is given")
            .or(kvmUnusable);
    told(options)
        .println(
            whyEmulated
                .map(why -> "Running on the emulated KVM host, because " + why)
                .orElse("Running on this machine's KVM: /dev/kvm is usable"));
    return whyEmulated.isEmpty();
  }

  private ExitStatus runHere(Options options, @Nullable ReportFolder report) throws IOException {
    Duration timeout = Duration.ofSeconds(options.timeoutSeconds);
    return new SelftestRun(
            tests.get(),
            options.selection(),
            options.repeat,
            timeout,
            options.demands(),
            behaviours,
            HostInspection::facts,
            report,
            Console.of(out, err, options.view(environment)),
            new PageAtEnd(TracedTests.of(options.trace, report), report))
        .run();
  }

  private ExitStatus runEmulated(Options options, @Nullable ReportFolder report)
      throws IOException {
    ForwardedRun inThere =
        new ForwardedRun(
            options.selection(),
            options.repeat,
            Duration.ofSeconds(options.timeoutSeconds),
            options.demands(),
            options.view(environment),
            options.trace,
            reportInThere(options));
    return options.matrix == null
        ? emulated.run(options, inThere.arguments(), report, out, err)
        : new MatrixRun(emulated, options, inThere.arguments(), report, out).run();
  }

  /** The table of a matrix is made of the reports of its runs. */
  private static Optional<Path> reportInThere(Options options) {
    return options.report == null && options.matrix == null
        ? Optional.empty()
        : Optional.of(EmulatedRun.REPORT);
  }

  /** For lines that nobody asked for. */
  private PrintStream told(Options options) {
    return options.ktap ? err : out;
  }
}
