package kvmselftest.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;
import kvmselftest.host.HostException;
import kvmselftest.runner.ExitStatus;
import org.junit.jupiter.api.Test;

class WatchedRunTest {
  /** A program whose emulated host has said something and then says no more. */
  static final class Program {
    private Program() {}

    public static void main(String[] arguments) throws IOException {
      ForwardedOutput output = ForwardedOutput.text(System.out);
      new WatchedRun(output, _ -> {}).run(() -> stay(output));
    }

    private static ExitStatus stay(ForwardedOutput output) {
      output.asPrintStream().print("\u001eok    A.a (1 ms)\n\u001eFAIL  A.b (2 ms)\nhalf a line");
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
    Process program =
        new ProcessBuilder(
                "env",
                "--default-signal=INT",
                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                Program.class.getName())
            .redirectErrorStream(true)
            .start();
    try (BufferedReader out = program.inputReader()) {
      String line = out.readLine();
      while (line != null && !line.equals("ready")) {
        line = out.readLine();
      }
      new ProcessBuilder("sh", "-c", "kill -INT " + program.pid()).start().waitFor();

      assertEquals(
          """


          So far:
          Failed 1:
            A.b (2 ms)
          # Totals: pass:1 fail:1 xfail:0 xpass:0 skip:0 error:1
          """,
          out.lines().collect(Collectors.joining("\n", "", "\n")));
    } finally {
      program.destroyForcibly();
    }
  }

  @Test
  void saysWhyThereIsNoVerdictAndHowFarItGot() throws IOException {
    List<String> reasons = new ArrayList<>();
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
    assertEquals(List.of("no verdict: the kernel panicked"), reasons);
    assertEquals(
        """
        ok    A.a (1 ms)
        error: no verdict: the kernel panicked

        So far:
        # Totals: pass:1 fail:0 xfail:0 xpass:0 skip:0 error:1
        """,
        bytes.toString(StandardCharsets.UTF_8));
  }
}
