package kvmselftest.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import kvmselftest.results.Measurement;
import kvmselftest.results.Published;
import kvmselftest.results.Results;
import kvmselftest.results.Status;
import kvmselftest.results.TestResult;
import kvmselftest.results.Totals;
import kvmselftest.review.ResultsReader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** results.json, as the runner writes it and {@link ResultsReader} reads it. */
class ResultsTest {
  @TempDir Path folder;

  @Test
  void sayWhatBecameOfEachTest() throws Exception {
    Instant before = Instant.now();
    SampleRun.of(Samples.Passing.class, Samples.Failing.class, Samples.SkippedWhole.class)
        .behaviours(new SeenBehaviour("a.b", "legacy"))
        .report(folder)
        .run();

    Results results = ResultsReader.read(folder);
    assertEquals("failed", results.verdict());
    assertEquals(SampleRun.HOST, results.host());
    assertEquals(Map.of("a.b", "legacy"), results.behaviours());
    assertEquals(new Totals(5, 2, 4), results.totals());
    assertFalse(results.started().isBefore(before.minusMillis(1)));
    TestResult skipped = one(results, "SkippedWhole.three");
    assertEquals(Status.SKIP, skipped.status());
    assertEquals(Samples.ABSENT, skipped.reason());
    assertEquals("Samples.SkippedWhole", skipped.className());
    TestResult failed = one(results, "Failing.compares");
    assertEquals(Status.FAIL, failed.status());
    assertTrue(failed.message().startsWith("kvmclock after KVM_SET_CLOCK"), failed.message());
    assertEquals(Map.of("clock", "41"), failed.published().observed());
  }

  @Test
  void haveTheConsolesNames() throws Exception {
    SampleRun run = SampleRun.of(Samples.Passing.class).report(folder);
    run.run();

    for (TestResult test : ResultsReader.read(folder).tests()) {
      assertTrue(run.text().contains("ok    " + test.name() + " ("), test.name());
    }
    assertEquals(
        "Samples.Passing.hasCases offset +180e9",
        one(ResultsReader.read(folder), "offset +180e9").name());
  }

  @Test
  void holdNumbersAndChartsThatTheConsoleDoesNot() throws Exception {
    SampleRun run = SampleRun.of(Samples.Measuring.class).verbose().report(folder);
    run.run();

    TestResult test = one(ResultsReader.read(folder), "Measuring.publishes");
    assertEquals(Map.of("value", "clock's error", "value 2", "again"), test.published().observed());
    assertEquals(
        List.of(Measurement.ofError("clock", "ns", -3, 5, 7)), ResultsReader.measurements(test));
    assertEquals(
        "{\"vcpus\":1,\"samples\":[{\"guestTsc\":\"1\"}]}",
        test.published().charts().get("chart.migration"));
    assertEquals("\"{\\\"vcpus\\\":\"", test.published().charts().get("chart.broken"));
    assertTrue(run.text().contains("      clock's error\n      again\n"), run.text());
    assertFalse(run.text().contains("vcpus") || run.text().contains("measured"), run.text());
    String xml = Files.readString(folder.resolve("TEST-junit-jupiter.xml"));
    assertFalse(xml.contains("vcpus"), xml);
    assertTrue(xml.contains("measured"), xml);
  }

  @Test
  void nameTheRound() throws Exception {
    SampleRun.of(Samples.Passing.class).tests("observes").report(folder).repeat(2).run();

    assertEquals(
        List.of(1, 2), ResultsReader.read(folder).tests().stream().map(TestResult::round).toList());
    assertEquals(
        List.of("Samples.Passing.observes"),
        ResultsReader.read(folder).tests().stream().map(TestResult::name).distinct().toList());
  }

  @Test
  void areWrittenWhenTestNeverEnds() throws Exception {
    SampleRun.of(Samples.Passing.class, Samples.Hanging.class)
        .timeout(Duration.ofSeconds(1))
        .report(folder)
        .run();

    Results results = ResultsReader.read(folder);
    assertEquals("failed", results.verdict());
    assertEquals(Status.FAIL, one(results, "Hanging.blocks").status());
  }

  /** What a JVM leaves that is killed at once. */
  @Test
  void haveNoVerdictBeforeTheEnd() throws Exception {
    RunResults results = new RunResults(SampleRun.HOST, ReportFolder.create(folder));

    results.write(Results.NO_VERDICT, "the run did not end");

    assertFalse(ResultsReader.read(folder).hasVerdict());
    assertEquals("the run did not end", ResultsReader.read(folder).reason());
  }

  /** How far off a value has to be for the test to fail. */
  @Test
  void knowTheDetectionFloor() {
    assertEquals(5, Measurement.ofError("", "ns", -3, 5, 1).floor().intValueExact());
    assertEquals(201, Measurement.ofValue("", "ns", 0, -201, 102).floor().intValueExact());
  }

  @Test
  void numberTheValuesOfOneName() {
    Published published = Published.NOTHING.plus("clock", "1").plus("clock", "2");

    assertEquals(Map.of("clock", "1", "clock 2", "2"), published.observed());
  }

  private static TestResult one(Results results, String end) {
    return results.tests().stream().filter(test -> test.name().endsWith(end)).findFirst().get();
  }
}
