package kvmselftest.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The form of KTAP; that the kernel's own parser reads it, ci/check-ktap.sh sees to. */
class KtapTest {
  /** A result that parsers understand (ktap.rst; kunit_parser.py reads no other). */
  private static final Pattern RESULT =
      Pattern.compile("( {2})?(not )?ok \\d+ [^#]+( # (SKIP|TIMEOUT|ERROR) [^#]+)?");

  @Test
  void hasPlanAndSubtestsWithPlan() {
    SampleRun run = SampleRun.of(Samples.Plain.class).ktap();

    assertEquals(ExitStatus.PASSED, run.run());

    assertEquals(
        """
        KTAP version 1
        1..1
          KTAP version 1
          # Subtest: Samples.Plain
          1..2
          ok 1 one
          ok 2 two
        ok 1 Samples.Plain
        # Totals: pass:2 fail:0 xfail:0 xpass:0 skip:0 error:0
        """,
        withoutHeader(run));
    assertEquals("", run.errors());
  }

  @Test
  void saysInTheHeaderWhatWasTested() {
    SampleRun run =
        SampleRun.of(Samples.Plain.class).ktap().behaviours(new SeenBehaviour("a.b", "legacy"));

    run.run();

    List<String> lines = run.text().lines().toList();
    assertEquals("1..1", lines.get(1));
    assertTrue(lines.get(2).startsWith("# kernel: Linux "), run::text);
    assertTrue(lines.get(3).matches("# CPU: .*, \\d+ online"), run::text);
    assertTrue(lines.get(4).startsWith("# clocksource: "), run::text);
    assertEquals("# behaviour: a.b legacy", lines.get(5));
  }

  @Test
  void hasNoPlanWhereCasesAreMadeAsTheyCome() {
    SampleRun run = SampleRun.of(Samples.Passing.class).ktap();

    run.run();

    assertTrue(
        run.text().contains("  # Subtest: Samples.Passing\n  ok 1 "), "no plan yet: " + run.text());
    assertTrue(run.text().matches("(?s).*\n {2}ok \\d hasCases offset \\+180e9\n.*"), run::text);
    assertTrue(run.text().contains("\n  ok 5 "), run::text);
  }

  @Test
  void failsTheClassOfFailedTestAndSaysWhyBefore() {
    SampleRun run = SampleRun.of(Samples.Plain.class, Samples.Failing.class).ktap();

    assertEquals(ExitStatus.FAILED, run.run());

    assertTrue(
        run.text()
            .matches(
                "(?s).* {2}# kvmclock after KVM_SET_CLOCK ==> expected: <42> but was: <41>\n"
                    + " {2}# at kvmselftest[^\n]+\n {2}# clock = 41\n {2}not ok \\d compares\n.*"),
        run::text);
    assertTrue(run.text().contains("\nok 1 Samples.Plain\n"), run::text);
    assertTrue(run.text().contains("\nnot ok 2 Samples.Failing\n"), run::text);
    assertTrue(run.text().endsWith("# Totals: pass:2 fail:2 xfail:0 xpass:0 skip:0 error:0\n"));
  }

  @Test
  void skipsTheClassOfWhichAllIsSkipped() {
    SampleRun run =
        SampleRun.of(Samples.Skipping.class, Samples.SkippedWhole.class, Samples.AbortedWhole.class)
            .ktap();

    assertEquals(ExitStatus.SKIPPED, run.run());

    String text = run.text();
    assertTrue(
        text.matches(
            "(?s).*\n {2}ok \\d byAssumption # SKIP " + Pattern.quote(Samples.BUSY) + "\n.*"));
    assertTrue(
        text.matches("(?s).*\n {2}ok \\d three # SKIP " + Pattern.quote(Samples.ABSENT) + "\n.*"),
        text);
    assertTrue(text.contains("\nok 2 Samples.SkippedWhole # SKIP " + Samples.ABSENT + "\n"), text);
    assertTrue(text.contains("\nok 3 Samples.AbortedWhole # SKIP " + Samples.BUSY + "\n"), text);
    assertTrue(text.matches("(?s).*\nok 1 Samples.Skipping # SKIP [^#]+ \\(and 1 other .*"), text);
    assertFalse(text.contains("second line"), text);
  }

  @Test
  void countsSetUpAsTestWhereItFails() {
    SampleRun run = SampleRun.of(Samples.FailingSetUp.class, Samples.FailingTearDown.class).ktap();

    run.run();

    assertTrue(run.text().contains("  1..1\n  # no memory for the guest\n"), run::text);
    assertTrue(
        run.text().contains("  not ok 1 the class itself\nnot ok 1 Samples.FailingSetUp\n"),
        run::text);
    assertTrue(
        run.text().contains("  not ok 2 the class itself\nnot ok 2 Samples.FailingTearDown\n"),
        run::text);
  }

  @Test
  void leavesThePlanUnfulfilledAfterTimeoutAndSaysWhy() {
    SampleRun run =
        SampleRun.of(Samples.Plain.class, Samples.Hanging.class, Samples.Passing.class)
            .ktap()
            .timeout(Duration.ofMillis(1200));

    assertEquals(ExitStatus.FAILED, run.run());

    assertTrue(run.text().contains("\n1..3\n"), run::text);
    assertTrue(
        run.text()
            .contains(
                "\n"
                    + "  not ok 1 blocks # TIMEOUT did not end within 1 s\n"
                    + "not ok 2 Samples.Hanging\n"
                    + "# no verdict on 1 of 3 classes: a test did not end within 1 s, and ended the"
                    + " run\n"
                    + "Bail out! a test did not end within 1 s, and ended the run\n"
                    + "# Totals: pass:2 fail:1 "),
        run::text);
  }

  @Test
  void keepsNamesAndTextFromBeingTakenForMore() {
    SampleRun run = SampleRun.of(Samples.WeirdlyNamed.class).ktap();

    run.run();

    String text = withoutHeader(run);
    List<String> names =
        text.lines()
            .filter(line -> line.matches(" {2}ok \\d has .*"))
            .map(line -> line.replaceFirst(" {2}ok \\d has ", ""))
            .sorted()
            .toList();
    assertEquals(
        List.of("- 5", "Subtest: y", "case _2 _ SKIP no", "not ok 7 x", "two<LF>lines"),
        names,
        text);
    assertTrue(text.contains(" # SKIP needs issue _12 _ SKIP\n"), text);
    assertTrue(text.contains("\n  #  Subtest: Samples.Passing\n"), text);
    for (String line : text.lines().skip(2).toList()) {
      assertTrue(
          RESULT.matcher(line).matches()
              || line.strip().startsWith("#")
              || line.equals("  KTAP version 1"),
          line);
    }
  }

  @Test
  void numbersTheRoundsOn() {
    SampleRun run = SampleRun.of(Samples.Plain.class, Samples.Passing.class).ktap().repeat(2);

    run.run();

    assertTrue(run.text().contains("\n1..4\n"), run::text);
    assertTrue(run.text().contains("\nok 3 2/2 Samples.Plain\n"), run::text);
    assertTrue(run.text().contains("\nok 4 2/2 Samples.Passing\n"), run::text);
    assertFalse(run.text().contains("Bail out!"), run::text);
  }

  @Test
  void bailsOutWherePatternMatchesNothing() {
    SampleRun run = SampleRun.of(Samples.Plain.class).tests("slip").ktap();

    assertEquals(ExitStatus.FAILED, run.run());

    assertEquals("KTAP version 1\nBail out! error: --tests 'slip' matches no test\n", run.text());
    assertTrue(run.errors().startsWith("error: --tests 'slip' matches no test\n"), run::errors);
  }

  @Test
  void saysWhatWasObservedIfVerbose() {
    SampleRun run = SampleRun.of(Samples.Passing.class).tests("observes").ktap().verbose();

    run.run();

    assertTrue(
        run.text()
            .contains(
                "  # guestTsc = 180000000001 in [180000000000, 180000000009]\n  ok 1 observes"),
        run::text);
  }

  @Test
  void isInTheReportInAnyCase(@TempDir Path folder) throws IOException {
    SampleRun.of(Samples.Plain.class).report(folder.resolve("text")).run();
    SampleRun.of(Samples.Plain.class).report(folder.resolve("ktap")).ktap().run();

    String expected = Files.readString(folder.resolve("ktap/results.ktap"));
    assertEquals(expected, Files.readString(folder.resolve("text/results.ktap")));
    assertTrue(expected.contains("\nok 1 Samples.Plain\n"), expected);
    assertTrue(Files.readString(folder.resolve("ktap/run.log")).startsWith("ok    Samples.Plain."));
  }

  private static String withoutHeader(SampleRun run) {
    return run.text().replaceAll("(?m)^# (kernel|CPU|clocksource): .*\n", "");
  }
}
