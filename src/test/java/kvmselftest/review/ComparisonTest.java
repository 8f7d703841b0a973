package kvmselftest.review;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import kvmselftest.results.HostFacts;
import kvmselftest.results.Measurement;
import kvmselftest.results.Results;
import org.junit.jupiter.api.Test;

class ComparisonTest {
  private final SampleResults before = new SampleResults();
  private final SampleResults after = new SampleResults();

  @Test
  void saysThatNothingDiffers() {
    before.pass("A.one", error(-5, 5)).skip("A.two", "why").fail("A.three", "so");
    after.pass("A.one", error(-4, 6)).skip("A.two", "why").fail("A.three", "otherwise");

    assertEquals(List.of("Nothing differs."), lines());
    assertFalse(isWorse());
  }

  @Test
  void namesWhatNewlyFailsWithItsFailure() {
    before.pass("A.one").skip("A.two", "no scaling");
    after.fail("A.one", "observed 2\nexpected 1").fail("A.two", "observed 3").fail("A.new", "4");

    assertEquals(
        List.of(
            "Newly failing: 3",
            "  A.one",
            "      observed 2",
            "      expected 1",
            "  A.two",
            "      observed 3",
            "  A.new",
            "      4",
            "Newly run: 1",
            "  A.two",
            "Only after: 1",
            "  A.new"),
        lines());
    assertTrue(isWorse());
  }

  @Test
  void whatNewlyPassesOrRunsIsNoWorse() {
    before.fail("A.one", "observed 2").skip("A.two", "no scaling");
    after.pass("A.one").pass("A.two").pass("A.three");

    assertEquals(
        List.of(
            "Newly passing: 1", "  A.one", "Newly run: 1", "  A.two", "Only after: 1", "  A.three"),
        lines());
    assertFalse(isWorse());
  }

  @Test
  void whatIsSkippedNowIsWorse() {
    before.pass("A.one");
    after.skip("A.one", "no scaling");

    assertEquals(List.of("Newly skipped: 1", "  A.one", "      no scaling"), lines());
    assertTrue(isWorse());
  }

  /** No case is made then, and the method stands for all. */
  @Test
  void aMethodSkippedAsAWholeSkipsItsCases() {
    before.pass("A.one [1] x").pass("A.one [2] y").skip("A.two", "no scaling");
    after.skip("A.one", "CPUs take turns").pass("A.two [1] z");

    assertEquals(
        List.of(
            "Newly skipped: 2",
            "  A.one [1] x",
            "      CPUs take turns",
            "  A.one [2] y",
            "      CPUs take turns",
            "Newly run: 1",
            "  A.two [1] z"),
        lines());
    assertTrue(isWorse());
  }

  @Test
  void whatIsGoneIsWorseIfItRan() {
    before.pass("A.one").skip("A.two", "no scaling");
    assertEquals(List.of("Only before: 2", "  A.one", "  A.two"), lines());
    assertTrue(isWorse());

    after.pass("A.one");
    assertFalse(isWorse());
  }

  @Test
  void countsTheManyOfAClass() {
    IntStream.range(0, 20).forEach(i -> before.skip("A.n" + i, "no scaling"));

    assertEquals(List.of("Only before: 20", "  A (20 tests)"), lines());
  }

  @Test
  void noVerdictIsWorse() {
    before.pass("A.one");
    after.pass("A.one");

    Comparison comparison =
        new Comparison(
            before.ofVerdict(),
            new Results(
                "sample tool",
                Instant.EPOCH,
                Duration.ZERO,
                "no verdict",
                "the kernel panicked",
                HostFacts.UNKNOWN,
                Map.of(),
                after.ofVerdict().tests()));

    assertEquals(List.of("No verdict after: the kernel panicked"), comparison.lines());
    assertTrue(comparison.isWorse());
  }

  @Test
  void namesKernelAndBehaviours() {
    after.kernel("6.12.0-sample").behaviour("new");

    assertEquals(
        List.of(
            "kernel: 6.1.0-sample became 6.12.0-sample",
            "behaviour sample.behaviour: old became new"),
        lines());
    assertFalse(isWorse());
  }

  @Test
  void namesValuesThatMovedByMoreThanTheirFloor() {
    before.pass("A.one", error(-3, 3), error(-3, 3), value(7));
    after.pass("A.one", error(-2, 3), error(49, 51), value(-105));

    assertEquals(
        List.of(
            "Moved: 1",
            "  A.one",
            "      error (2): [-3, 3] became [49, 51] ns, floor 3 ns",
            "      value: 7 became -105 ns, floor 107 ns"),
        lines());
    assertFalse(isWorse());
  }

  /** A noisier run says less, and a value within its range is as good as another. */
  @Test
  void aRunThatSaysLessHasMovedNothing() {
    before.pass("A.one", error(-3, 3), value(7));
    after.pass("A.one", error(-1000, 3000), value(-90));

    assertEquals(List.of("Nothing differs."), lines());
  }

  @Test
  void ofSeveralRoundsAFailureCounts() {
    before.pass("A.one").pass("A.one");
    after.pass("A.one").fail("A.one", "once").pass("A.one");

    assertTrue(isWorse());
  }

  private List<String> lines() {
    return new Comparison(before.ofVerdict(), after.ofVerdict()).lines();
  }

  private boolean isWorse() {
    return new Comparison(before.ofVerdict(), after.ofVerdict()).isWorse();
  }

  private static Measurement error(long least, long most) {
    return Measurement.ofError("error", "ns", least, most, 10);
  }

  private static Measurement value(long value) {
    return Measurement.ofValue("value", "ns", value, -100, 100);
  }
}
