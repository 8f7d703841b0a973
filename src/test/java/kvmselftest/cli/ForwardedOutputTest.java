package kvmselftest.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import kvmselftest.results.Published;
import kvmselftest.results.ResultsJson;
import kvmselftest.results.Status;
import kvmselftest.results.TestResult;
import org.junit.jupiter.api.Test;

class ForwardedOutputTest {
  private final ByteArrayOutputStream told = new ByteArrayOutputStream();
  private final ByteArrayOutputStream ktap = new ByteArrayOutputStream();

  @Test
  void partsKtapFromAllElse() {
    ForwardedOutput output = ofKtap();

    write(output, "\u001fKTAP version 1\nOpenJDK warning\n\u001f1..2\nhalf a line\u001fok 1 a ±\n");

    assertEquals("KTAP version 1\n1..2\nok 1 a ±\n", text(ktap));
    assertEquals("OpenJDK warning\nhalf a line\n", text(told));
  }

  @Test
  void passesTextOnBeforeItsLineEnds() {
    ForwardedOutput output = ForwardedOutput.text(stream(told));

    write(output, "# behaviour: a");

    assertEquals("# behaviour: a", text(told));
  }

  @Test
  void saysHowFarRunGotThatWasCutOff() {
    ForwardedOutput output = ForwardedOutput.text(stream(told));
    write(
        output,
        """
        \u001e\u001b[32mok  \u001b[0m  A.a (3 ms)
        \u001dok    A.hidden
        \u001eFAIL  A.b (9 ms)
              why
        \u001eHUNG  B.c
        \u001eskip  B.d
        """);
    told.reset();

    output.cutOff("no verdict: the kernel panicked");
    write(output, "more\n");

    assertEquals(
        """

        So far:
        Failed 1:
          A.b (9 ms)
        Timed out 1:
          B.c
        # Totals: pass:2 fail:2 xfail:0 xpass:0 skip:1 error:1
        """,
        text(told));
  }

  @Test
  void leavesThePlanUnfulfilledAndSaysWhy() {
    ForwardedOutput output = ofKtap();
    write(output, "\u001fKTAP version 1\n\u001f1..2\n\u001dok    A.a\n\u001f  ok 1 a\n\u001f  no");

    output.cutOff("no verdict: the kernel\npanicked at #1");
    output.cutOff("no verdict: interrupted");

    assertEquals(
        """
        KTAP version 1
        1..2
          ok 1 a
        # no verdict: the kernel panicked at #1
        Bail out! no verdict: the kernel panicked at _1
        # Totals: pass:1 fail:0 xfail:0 xpass:0 skip:0 error:1
        """,
        text(ktap));
  }

  @Test
  void bailsOutOfRunThatDidNotBegin() {
    ofKtap().cutOff("no QEMU");

    assertEquals(
        """
        KTAP version 1
        # no QEMU
        Bail out! no QEMU
        # Totals: pass:0 fail:0 xfail:0 xpass:0 skip:0 error:1
        """,
        text(ktap));
  }

  /** Shown nowhere, kept for results.json; a line that another program has cut is dropped. */
  @Test
  void keepsTheTestsThatEndedAndTheOneThatRan() {
    ForwardedOutput output = ForwardedOutput.text(stream(told));
    TestResult passed = test("A.a", Status.PASS, "");
    TestResult skipped = test("A.b", Status.SKIP, "no TSC scaling\nmore");
    TestResult running = test("A.c", Status.FAIL, "did not end");
    write(
        output,
        "\u001a%s\n\u001c%s\n\u001c%s\n\u001c{\"name\":JVM warning\n\u001a%s\n\u001c{\"na"
            .formatted(
                ResultsJson.line(test("A.a", Status.FAIL, "did not end")),
                ResultsJson.line(passed),
                ResultsJson.line(skipped),
                ResultsJson.line(running)));
    output.cutOff("no verdict: Linux 6.1 panicked");
    List<TestResult> tests = output.tests("no verdict: Linux 6.1 panicked");

    assertEquals("running: A.c, for 0 s\n", text(told));
    assertEquals(List.of(passed, skipped), tests.subList(0, 2));
    assertEquals(3, tests.size());
    assertEquals(
        running.cutOff("did not end: Linux 6.1 panicked", tests.get(2).took()), tests.get(2));
    assertFalse(tests.get(2).took().isNegative());
  }

  private static TestResult test(String name, Status status, String message) {
    return new TestResult(name, "A", 1, status, message, Duration.ofMillis(12), Published.NOTHING);
  }

  private ForwardedOutput ofKtap() {
    return ForwardedOutput.ktap(stream(ktap), stream(told));
  }

  private static void write(ForwardedOutput output, String text) {
    output.asPrintStream().print(text);
  }

  private static PrintStream stream(ByteArrayOutputStream bytes) {
    return new PrintStream(bytes, true, StandardCharsets.UTF_8);
  }

  private static String text(ByteArrayOutputStream stream) {
    return stream.toString(StandardCharsets.UTF_8);
  }
}
