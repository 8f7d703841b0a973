package kvmselftest.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import kvmselftest.host.cache.FileTree;
import kvmselftest.results.HostFacts;
import kvmselftest.results.Results;
import kvmselftest.results.Totals;
import kvmselftest.review.Matrix;
import kvmselftest.review.MatrixJson;
import kvmselftest.review.MatrixText;
import kvmselftest.review.NotResultsException;
import kvmselftest.review.ResultsReader;
import kvmselftest.runner.ExitStatus;
import kvmselftest.runner.ReportFolder;
import org.jspecify.annotations.Nullable;

/**
 * The tests on several kernels, each in an emulated host of its own, as many at once as the machine
 * has room for. What becomes of one has no effect on the others.
 */
final class MatrixRun {
  private static final String NOT_BEGUN = "interrupted before it began";
  private static final String NOT_ENDED = "interrupted before it ended";

  private final EmulatedRun emulated;
  private final Options options;
  private final List<String> arguments;
  private final @Nullable ReportFolder report;
  private final PrintStream out;
  private final List<Results> results = new ArrayList<>();
  private final Instant started = Instant.now();
  private boolean anyFailed;
  private boolean over;

  /**
   * @param arguments what to call the program with in each host
   * @param report where the table and a folder for each kernel go, or null
   */
  MatrixRun(
      EmulatedRun emulated,
      Options options,
      List<String> arguments,
      @Nullable ReportFolder report,
      PrintStream out) {
    this.emulated = emulated;
    this.options = options;
    this.arguments = arguments;
    this.report = report;
    this.out = out;
    options.kernels().forEach(_ -> results.add(without(NOT_BEGUN)));
  }

  ExitStatus run() throws IOException {
    Path folder =
        report == null ? Files.createTempDirectory("kvm-clock-selftests-") : report.path();
    Thread hook = new Thread(() -> interrupted(folder), "table-on-interrupt");
    Runtime.getRuntime().addShutdownHook(hook);
    try (ExecutorService pool = Executors.newFixedThreadPool(room())) {
      IntStream.range(0, results.size()).forEach(i -> pool.execute(() -> run(i, folder)));
    }
    ExitStatus status = end();
    deleteUnlessReport(folder);
    return status;
  }

  /** How many hosts this machine has cores and memory for, at least 1. */
  private int room() {
    return RoomForHosts.onThisMachine(EmulatedHostRun.machine(options));
  }

  private void run(int index, Path folder) {
    String kernel = options.kernels().get(index);
    say("%s: started".formatted(kernel));
    set(index, without(NOT_ENDED), false);
    long begin = System.nanoTime();
    Results ended;
    boolean failed = true;
    try {
      ReportFolder own = ReportFolder.create(folder.resolve(folders().get(index)));
      PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream());
      failed =
          emulated.run(options.withKernel(kernel), arguments, own, nowhere, nowhere)
              == ExitStatus.FAILED;
      ended = ResultsReader.read(own.path());
    } catch (IOException | NotResultsException | RuntimeException e) {
      ended = without("there are no results: " + e);
    }
    if (set(index, ended, failed)) {
      say("%s: %s".formatted(kernel, summary(ended, System.nanoTime() - begin)));
    }
  }

  private static String summary(Results results, long nanos) {
    Totals totals = results.totals();
    String what =
        results.hasVerdict()
            ? "%s, %d passed, %d failed, %d skipped"
                .formatted(results.verdict(), totals.pass(), totals.fail(), totals.skip())
            : withPrefix(results.reason());
    return String.format(
        Locale.ROOT, "%s, %.1f s", what, TimeUnit.NANOSECONDS.toMillis(nanos) / 1e3);
  }

  private static String withPrefix(String reason) {
    return reason.startsWith(Results.NO_VERDICT) ? reason : Results.NO_VERDICT + ": " + reason;
  }

  private Results without(String reason) {
    return Results.withoutVerdict(started, reason, HostFacts.UNKNOWN, List.of());
  }

  /** Whether it still counts. */
  private synchronized boolean set(int index, Results now, boolean failed) {
    if (!over) {
      results.set(index, now);
      anyFailed |= failed;
    }
    return !over;
  }

  private synchronized void say(String line) {
    if (!over) {
      out.println(line);
      out.flush();
    }
  }

  /** Runs when the JVM is told to end before the last kernel's run has ended. */
  private synchronized void interrupted(Path folder) {
    if (over) {
      return;
    }
    try {
      end();
    } catch (IOException e) {
      out.println("error: cannot write the report: " + e);
    }
    deleteUnlessReport(folder);
  }

  private synchronized ExitStatus end() throws IOException {
    over = true;
    Matrix matrix =
        new Matrix(
            IntStream.range(0, results.size())
                .mapToObj(i -> new Matrix.Column(options.kernels().get(i), results.get(i)))
                .toList());
    out.println();
    new MatrixText(matrix, options.verbose).lines().forEach(out::println);
    out.flush();
    ExitStatus status = status(matrix);
    if (report != null) {
      Files.writeString(
          report.path().resolve("matrix.md"), new MatrixText(matrix, options.verbose).markdown());
      MatrixJson.write(matrix, folders(), report.path().resolve("matrix.json"));
      report.writeVerdict(status.name().toLowerCase(Locale.ROOT));
    }
    return status;
  }

  private ExitStatus status(Matrix matrix) {
    if (anyFailed || matrix.hasFailed()) {
      return ExitStatus.FAILED;
    }
    return matrix.hasPassed() ? ExitStatus.PASSED : ExitStatus.SKIPPED;
  }

  /** A name for each kernel that a folder can have, each another one. */
  private List<String> folders() {
    List<String> folders = new ArrayList<>();
    for (String kernel : options.kernels()) {
      String name = kernel.replaceAll("[^A-Za-z0-9._-]+", "-").replaceFirst("^[-.]+", "");
      String free = name.isEmpty() ? "kernel" : name;
      for (int i = 2; folders.contains(free); i++) {
        free = name + "-" + i;
      }
      folders.add(free);
    }
    return folders;
  }

  private void deleteUnlessReport(Path folder) {
    if (report == null) {
      FileTree.deleteQuietly(folder);
    }
  }
}
