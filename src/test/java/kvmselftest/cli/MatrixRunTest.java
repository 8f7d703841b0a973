package kvmselftest.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import kvmselftest.ChildJvm;
import kvmselftest.host.Machine;
import kvmselftest.results.Results;
import kvmselftest.results.ResultsJson;
import kvmselftest.review.SampleResults;
import kvmselftest.runner.ExitStatus;
import kvmselftest.runner.ReportFolder;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs of a matrix whose hosts leave what they are told to. */
class MatrixRunTest {
  private static final Results GOOD =
      new SampleResults().pass("ATest.one").pass("ATest.two").ofVerdict();
  private static final Results SKIPPED =
      new SampleResults().skip("ATest.one", "no KVM").of("skipped", "");
  private static final Results PANICKED =
      new SampleResults().kernel("7.0.0-sample").of("no verdict", "Linux panicked: BUG");

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final Options options = new Options();
  @TempDir private Path folder;

  @Test
  void oneKernelsPanicSpoilsNoOther() throws Exception {
    ExitStatus status = run(Map.of("a", GOOD, "b/image", PANICKED, "c", GOOD), "a", "b/image", "c");

    assertEquals(ExitStatus.FAILED, status);
    String table = text().substring(text().indexOf("\n\n") + 2);
    assertEquals(
        """
        a             b/image         c
        6.1.0-sample  7.0.0-sample    6.1.0-sample  Linux
        passed        no verdict [1]  passed        verdict
        2/0/0         0/0/0           2/0/0         passed/failed/skipped

        pass          -               pass          ATest (2 tests)

        [1] Linux panicked: BUG
        """,
        table.replaceFirst("(?s)^.*?\n(?=a )", ""));
    assertEquals("failed\n", Files.readString(folder.resolve("verdict")));
    assertTrue(Files.exists(folder.resolve("b-image/results.json")));
    assertTrue(
        Files.readString(folder.resolve("matrix.md"))
            .contains("| ATest \\(2 tests\\) | pass | - | pass |"));
    JsonNode json = new ObjectMapper().readTree(folder.resolve("matrix.json").toFile());
    assertEquals("b-image", json.at("/kernels/1/folder").asText());
    assertEquals("Linux panicked: BUG", json.at("/kernels/1/reason").asText());
    assertEquals("pass", json.at("/tests/1/results/2/status").asText());
    assertEquals("absent", json.at("/tests/1/results/1/status").asText());
  }

  @Test
  void passesWhenNoneFailed() throws Exception {
    assertEquals(ExitStatus.PASSED, run(Map.of("a", GOOD, "b", SKIPPED), "a", "b"));
    assertTrue(text().contains("a: passed, 2 passed, 0 failed, 0 skipped, "), text());
    assertTrue(text().contains("[1] no KVM"), text());
  }

  @Test
  void isSkippedWhenAllWereEverywhere() throws Exception {
    assertEquals(ExitStatus.SKIPPED, run(Map.of("a", SKIPPED, "b", SKIPPED), "a", "b"));
  }

  /** Such as one that died without a word, or that JUnit's runner refused. */
  @Test
  void aRunThatLeftNoResultsHasNoVerdict() throws Exception {
    assertEquals(ExitStatus.FAILED, run(Map.of("a", GOOD), "a", "b"));
    assertTrue(text().contains("b: no verdict: there are no results: "), text());
  }

  @Test
  void leavesNothingBehindWithoutReport() throws Exception {
    Path[] used = new Path[1];
    options.matrix = "a";
    EmulatedRun host =
        (given, arguments, report, console, errors) -> {
          used[0] = Objects.requireNonNull(report).path();
          return leave(GOOD, report);
        };

    new MatrixRun(host, options, List.of(), null, printer()).run();

    assertFalse(Files.exists(used[0].resolveSibling(".")));
  }

  @Test
  void hasRoomForAsManyHostsAsCoresAndMemoryAllow() {
    assertEquals(1, RoomForHosts.of(Machine.STANDARD, 1, 100));
    assertEquals(1, RoomForHosts.of(Machine.STANDARD, 2, 100_000));
    assertEquals(4, RoomForHosts.of(Machine.STANDARD, 8, 100_000));
    assertEquals(2, RoomForHosts.of(Machine.STANDARD, 8, 3000));
    assertEquals(1, RoomForHosts.of(Machine.STANDARD.withCpus(8), 8, 100_000));
  }

  /** The program that is interrupted: its second kernel never ends. */
  static final class Launcher {
    private Launcher() {}

    public static void main(String[] arguments) throws Exception {
      Options options = new Options();
      options.matrix = "quick,slow,later";
      options.cpus = 1_000;
      EmulatedRun host =
          (given, forwarded, report, console, errors) -> {
            if ("slow".equals(given.kernel)) {
              sleep();
            }
            return leave(GOOD, Objects.requireNonNull(report));
          };
      ReportFolder report = ReportFolder.create(Path.of(arguments[0]));
      new MatrixRun(host, options, List.of(), report, System.out).run();
    }
  }

  @Test
  void ctrlCEndsWithTheTableSoFar() throws Exception {
    String text;
    try (ChildJvm launcher = ChildJvm.start(Launcher.class, folder.toString())) {
      launcher.await("slow: started");
      text = launcher.interrupt();
    }

    assertTrue(text.contains("passed        no verdict [1]  no verdict [2]  verdict"), text);
    assertTrue(text.contains("[1] interrupted before it ended"), text);
    assertTrue(text.contains("[2] interrupted before it began"), text);
    assertTrue(
        text.contains("pass          -               -               ATest (2 tests)"), text);
    assertEquals("failed\n", Files.readString(folder.resolve("verdict")));
    try (Stream<Path> files = Files.list(folder)) {
      assertTrue(files.anyMatch(file -> file.endsWith("matrix.json")));
    }
  }

  private ExitStatus run(Map<String, Results> byKernel, String... kernels) throws Exception {
    options.matrix = String.join(",", kernels);
    EmulatedRun host =
        (given, arguments, report, console, errors) -> {
          @Nullable Results results = byKernel.get(Objects.requireNonNull(given.kernel));
          return results == null
              ? ExitStatus.FAILED
              : leave(results, Objects.requireNonNull(report));
        };
    return new MatrixRun(host, options, List.of(), ReportFolder.create(folder), printer()).run();
  }

  private static ExitStatus leave(Results results, ReportFolder report) {
    try {
      ResultsJson.write(results, report.path());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return switch (results.verdict()) {
      case "passed" -> ExitStatus.PASSED;
      case "skipped" -> ExitStatus.SKIPPED;
      default -> ExitStatus.FAILED;
    };
  }

  private static void sleep() {
    try {
      Thread.sleep(600_000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private PrintStream printer() {
    return new PrintStream(out, true, StandardCharsets.UTF_8);
  }

  private String text() {
    return out.toString(StandardCharsets.UTF_8);
  }
}
