package kvmselftest.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import kvmselftest.ChildJvm;
import kvmselftest.host.HostException;
import kvmselftest.results.Published;
import kvmselftest.results.Results;
import kvmselftest.results.ResultsJson;
import kvmselftest.results.Status;
import kvmselftest.results.TestResult;
import kvmselftest.results.Totals;
import kvmselftest.review.ResultsReader;
import kvmselftest.runner.ExitStatus;
import kvmselftest.runner.ReportFolder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WatchedRunTest {
  @TempDir private Path folder;

  /** A program whose emulated host has said something and then says no more. */
  static final class Program {
    private Program() {}

    public static void main(String[] arguments) throws IOException {
      ForwardedOutput output = ForwardedOutput.text(System.out);
      EmulatedReport report = new EmulatedReport(ReportFolder.create(Path.of(arguments[0])));
      report.host("6.1.0-test", "sample emulator");
      new WatchedRun(output, noVerdict -> report.end(noVerdict, output)).run(() -> stay(output));
    }

    private static ExitStatus stay(ForwardedOutput output) {
      output
          .asPrintStream()
          .print(
              "\u001c%s\n\u001eok    A.a (1 ms)\n\u001c%s\n\u001eFAIL  A.b (2 ms)\n\u001a%s\nhalf a line"
                  .formatted(
                      ResultsJson.line(test("A.a", Status.PASS, "")),
                      ResultsJson.line(test("A.b", Status.FAIL, "41")),
                      ResultsJson.line(test("A.c", Status.FAIL, "did not end"))));
      System.out.println("\nready");
      try {
        new CountDownLatch(1).await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      return ExitStatus.PASSED;
    }
  }

  @Test
  void saysHowFarItGotWhenInterrupted() throws Exception {
    String said;
    try (ChildJvm program = ChildJvm.start(Program.class, folder.toString())) {
      program.await("ready");
      said = program.interrupt();
    }

    assertEquals(
        """

        running: A.c, for 0 s

        So far:
        Failed 1:
          A.b (2 ms)
        # Totals: pass:1 fail:1 xfail:0 xpass:0 skip:0 error:1
        """,
        said.replaceFirst("for \\d+ s", "for 0 s"));
    Results results = ResultsReader.read(folder);
    assertEquals("no verdict", results.verdict());
    assertEquals("no verdict: interrupted", results.reason());
    assertEquals("6.1.0-test", results.host().kernel());
    assertEquals(
        List.of("A.a: ", "A.b: 41", "A.c: did not end: interrupted"),
        results.tests().stream().map(test -> test.name() + ": " + test.message()).toList());
    assertEquals(new Totals(1, 2, 0), results.totals());
    assertTrue(
        Files.readString(folder.resolve("report.html")).contains("did not end: interrupted"));
  }

  private static TestResult test(String name, Status status, String message) {
    return new TestResult(name, "A", 1, status, message, Duration.ofMillis(1), Published.NOTHING);
  }

  @Test
  void saysWhyThereIsNoVerdictAndHowFarItGot() throws IOException {
    List<Optional<String>> reasons = new ArrayList<>();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    ForwardedOutput output =
        ForwardedOutput.text(new PrintStream(bytes, true, StandardCharsets.UTF_8));

    ExitStatus status =
        new WatchedRun(output, reasons::add)
            .run(
                () -> {
                  output.asPrintStream().print("\u001eok    A.a (1 ms)\n");
                  throw new HostException("no verdict: the kernel panicked");
                });

    assertEquals(ExitStatus.FAILED, status);
    assertEquals(List.of(Optional.of("no verdict: the kernel panicked")), reasons);
    assertEquals(
        """
        ok    A.a (1 ms)
        error: no verdict: the kernel panicked

        So far:
        # Totals: pass:1 fail:0 xfail:0 xpass:0 skip:0 error:1
        """,
        bytes.toString(StandardCharsets.UTF_8));
  }

  @Test
  void endsOnceWithOrWithoutVerdict() throws IOException {
    List<Optional<String>> ends = new ArrayList<>();
    ForwardedOutput output = ForwardedOutput.text(new PrintStream(new ByteArrayOutputStream()));

    assertEquals(ExitStatus.PASSED, new WatchedRun(output, ends::add).run(() -> ExitStatus.PASSED));

    assertEquals(List.of(Optional.empty()), ends);
  }
}
