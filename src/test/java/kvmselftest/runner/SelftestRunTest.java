package kvmselftest.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class SelftestRunTest {
  @Test
  void showsEachTestAndTheTotals() {
    SampleRun run = SampleRun.of(Samples.Passing.class);

    assertEquals(ExitStatus.PASSED, run.run());

    assertLine("ok    Samples\\.Passing\\.observes \\(\\d+ ms\\)", run);
    assertLine("ok    Samples\\.Passing\\.hasCases offset \\+180e9 \\(\\d+ ms\\)", run);
    assertLine("# Totals: pass:5 fail:0 xfail:0 xpass:0 skip:0 error:0", run);
    assertFalse(run.text().contains("guestTsc"), run.text());
    assertFalse(run.text().contains("\u001b"), run.text());
  }

  @Test
  void showsWhatWasObservedIfVerbose() {
    SampleRun run = SampleRun.of(Samples.Passing.class).verbose();

    run.run();

    assertLine("      guestTsc = 180000000001 in \\[180000000000, 180000000009\\]", run);
  }

  @Test
  void hidesWhatPassedOrWasSkippedIfTold() {
    SampleRun run =
        SampleRun.of(Samples.Passing.class, Samples.Failing.class, Samples.Skipping.class)
            .failedOnly()
            .verbose();

    run.run();

    assertFalse(run.text().contains("Samples.Passing"), run.text());
    assertFalse(run.text().contains("guestTsc"), run.text());
    assertFalse(run.text().contains("\nskip"), run.text());
    assertLine("FAIL  Samples\\.Failing\\.compares \\(\\d+ ms\\)", run);
    assertLine("  Samples\\.Skipping\\.byCondition", run);
    assertLine("# Totals: pass:5 fail:2 xfail:0 xpass:0 skip:2 error:0", run);
  }

  @Test
  void coloursTheFirstWordOnly() {
    SampleRun run = SampleRun.of(Samples.Passing.class).colour();

    run.run();

    assertLine("\u001b\\[32mok  \u001b\\[0m  Samples\\.Passing\\.observes \\(\\d+ ms\\)", run);
  }

  @Test
  void saysWhatFailedAndWhere() {
    SampleRun run = SampleRun.of(Samples.Failing.class, Samples.Passing.class);

    assertEquals(ExitStatus.FAILED, run.run());

    assertLine("FAIL  Samples\\.Failing\\.compares \\(\\d+ ms\\)", run);
    assertLine("      kvmclock after KVM_SET_CLOCK ==> expected: <42> but was: <41>", run);
    assertLine(
        "      at kvmselftest\\.runner\\.Samples\\$Failing\\.compares\\(Samples\\.java:\\d+\\)",
        run);
    assertLine("      clock = 41", run);
    assertFalse(run.text().contains("chart"), run::text); // it is in the XML report
    assertLine("      java\\.lang\\.IllegalStateException: KVM_RUN", run);
    assertLine("      caused by java\\.lang\\.IllegalArgumentException: EFAULT", run);
    assertLine("Failed 2:", run);
    assertLine("  Samples\\.Failing\\.compares", run);
    assertLine("# Totals: pass:5 fail:2 xfail:0 xpass:0 skip:0 error:0", run);
  }

  @Test
  void givesEachReasonOnceWithItsTests() {
    SampleRun run =
        SampleRun.of(
            Samples.Skipping.class,
            Samples.SkippedWhole.class,
            Samples.AbortedWhole.class,
            Samples.Passing.class);

    assertEquals(ExitStatus.PASSED, run.run());

    assertLine("skip  Samples\\.SkippedWhole\\.three", run);
    assertLine("Skipped 5: " + Pattern.quote(Samples.ABSENT), run);
    assertLine("  Samples\\.SkippedWhole \\(4 tests\\)", run);
    assertLine("  Samples\\.Skipping\\.byCondition", run);
    assertLine("Skipped 3: " + Pattern.quote(Samples.BUSY), run);
    assertLine("  Samples\\.AbortedWhole\\.two", run);
    assertLine("# Totals: pass:5 fail:0 xfail:0 xpass:0 skip:8 error:0", run);
  }

  @Test
  void passesNothingIfAllWereSkipped() {
    assertEquals(ExitStatus.SKIPPED, SampleRun.of(Samples.Skipping.class).run());
  }

  @Test
  void failsOnSkipIfTold() {
    assertEquals(
        ExitStatus.FAILED,
        SampleRun.of(Samples.Skipping.class, Samples.Passing.class).failOnSkip().run());
  }

  @Test
  void tellsTheTestsToFailOnSkip() {
    assertEquals(ExitStatus.PASSED, SampleRun.of(Samples.FailsOnSkip.class).failOnSkip().run());
    assertEquals(ExitStatus.FAILED, SampleRun.of(Samples.FailsOnSkip.class).run());
  }

  @Test
  void tellsTheTestsToDemandTheNewestBehaviour() {
    assertEquals(ExitStatus.PASSED, SampleRun.of(Samples.Strict.class).strict().run());
    assertEquals(ExitStatus.FAILED, SampleRun.of(Samples.Strict.class).run());
  }

  @Test
  void beginsWithTheBehavioursSeen() {
    SampleRun run =
        SampleRun.of(Samples.Passing.class)
            .behaviours(new SeenBehaviour("a.b", "legacy"), new SeenBehaviour("c", "unknown: x"))
            .repeat(2);

    run.run();

    assertTrue(
        run.text().startsWith("# behaviour: a.b legacy\n# behaviour: c unknown: x\nok"),
        run.text());
    assertEquals(2, run.text().split("# behaviour: ", -1).length - 1, run.text());
  }

  @Test
  void triesNoBehaviourIfThereIsNothingToRun() {
    SampleRun run =
        SampleRun.of(Samples.Passing.class)
            .behaviours(new SeenBehaviour("a.b", "legacy"))
            .tests("slip");

    run.run();

    assertFalse(run.text().contains("# behaviour: "), run.text());
  }

  @Test
  void countsFailingSetUpAsFailure() {
    SampleRun run = SampleRun.of(Samples.FailingSetUp.class, Samples.LackingSource.class);

    assertEquals(ExitStatus.FAILED, run.run());

    assertLine("FAIL  Samples\\.FailingSetUp \\(\\d+ ms\\)", run);
    assertLine("      no memory for the guest", run);
    assertLine("FAIL  Samples\\.LackingSource\\.cases \\(\\d+ ms\\)", run);
    assertLine("# Totals: pass:0 fail:2 xfail:0 xpass:0 skip:0 error:0", run);
  }

  @Test
  void reportsTestThatNeverEnds() {
    SampleRun run = SampleRun.of(Samples.Hanging.class).timeout(Duration.ofMillis(1200));

    assertEquals(ExitStatus.FAILED, run.run());

    assertLine("HUNG  Samples\\.Hanging\\.blocks \\(1\\.\\d s\\)", run);
    assertLine("      did not end within 1 s; it is at", run);
    assertLine("Timed out 1:", run);
    assertTrue(run.text().contains("Samples$Hanging.blocks(Samples.java:"), run.text());
    assertLine("# Totals: pass:0 fail:1 xfail:0 xpass:0 skip:0 error:0", run);
  }

  @Test
  void refusesPatternThatMatchesNothing() {
    SampleRun run = SampleRun.of(Samples.Passing.class).tests("hasCases", "hasCaess");

    assertEquals(ExitStatus.FAILED, run.run());

    assertEquals(
        """
        error: --tests 'hasCaess' matches no test
        There are:
          Samples.Passing.hasCases
          Samples.Passing.isTaggedTwice
          Samples.Passing.observes
        """,
        run.text());
  }

  @Test
  void leavesThoroughTestsOutUnlessTold() {
    SampleRun run = SampleRun.of(Samples.TakingLong.class);
    assertEquals(ExitStatus.PASSED, run.run());
    assertLine("# Totals: pass:1 fail:0 xfail:0 xpass:0 skip:0 error:0", run);

    SampleRun thorough = SampleRun.of(Samples.TakingLong.class).thorough();
    assertEquals(ExitStatus.PASSED, thorough.run());
    assertLine("# Totals: pass:2 fail:0 xfail:0 xpass:0 skip:0 error:0", thorough);
  }

  @Test
  void saysThatThoroughTestNeedsTheOption() {
    SampleRun run = SampleRun.of(Samples.TakingLong.class).tests("cycles");

    assertEquals(ExitStatus.FAILED, run.run());

    assertLine("  Samples\\.TakingLong\\.cycles \\(with --thorough\\)", run);
  }

  @Test
  void runsTheSelected() {
    SampleRun run =
        SampleRun.of(Samples.Passing.class, Samples.Failing.class).tests("*PASSING.o?serves");

    assertEquals(ExitStatus.PASSED, run.run());

    assertLine("# Totals: pass:1 fail:0 xfail:0 xpass:0 skip:0 error:0", run);
  }

  @Test
  void failsIfThereIsNothingToRun() {
    assertEquals(ExitStatus.FAILED, SampleRun.of().run());
  }

  @Test
  void repeatsWithTheRoundInTheName() {
    SampleRun run = SampleRun.of(Samples.Failing.class).tests("compares").repeat(3);

    assertEquals(ExitStatus.FAILED, run.run());

    assertLine("FAIL  2/3 Samples\\.Failing\\.compares \\(\\d+ ms\\)", run);
    assertLine("  3/3 Samples\\.Failing\\.compares", run);
    assertLine("# Totals: pass:0 fail:3 xfail:0 xpass:0 skip:0 error:0", run);
  }

  @Test
  void tellsOfEachRoundThoughOnlyFailuresAreShown() {
    SampleRun run = SampleRun.of(Samples.Failing.class).tests("compares").failedOnly().repeat(3);

    run.run();

    assertLine("# round 1/3 ended; so far 0 passed, 1 failed, 0 skipped", run);
    assertLine("# round 2/3 ended; so far 0 passed, 2 failed, 0 skipped", run);
    assertFalse(run.text().contains("# round 3/3"), run::text);
  }

  @Test
  void leavesTheSystemPropertyAsItWas() {
    String before = System.getProperty("kvmselftest.failOnSkip");

    SampleRun.of(Samples.Passing.class).failOnSkip().run();

    assertEquals(before, System.getProperty("kvmselftest.failOnSkip"));
  }

  private static void assertLine(String regex, SampleRun run) {
    assertTrue(run.text().lines().anyMatch(line -> line.matches(regex)), run::text);
  }
}
