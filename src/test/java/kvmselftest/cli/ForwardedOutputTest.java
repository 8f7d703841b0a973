package kvmselftest.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
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
