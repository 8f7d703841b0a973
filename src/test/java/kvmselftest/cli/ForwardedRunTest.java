package kvmselftest.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import kvmselftest.results.HostFacts;
import kvmselftest.results.TestResult;
import kvmselftest.review.ResultsReader;
import kvmselftest.runner.Console;
import kvmselftest.runner.Demands;
import kvmselftest.runner.ReportFolder;
import kvmselftest.runner.Selection;
import kvmselftest.runner.SelftestRun;
import kvmselftest.runner.Selftests;
import kvmselftest.runner.TestWatch;
import kvmselftest.runner.View;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ForwardedRunTest {
  static List<ForwardedRun> runs() {
    Optional<Path> report = Optional.of(EmulatedRun.REPORT);
    return List.of(
        new ForwardedRun(
            Selection.all(),
            1,
            Duration.ofSeconds(120),
            Demands.NONE,
            View.PLAIN,
            false,
            Optional.empty()),
        new ForwardedRun(
            new Selection(List.of("*a b*", "--native"), false),
            3,
            Duration.ofMinutes(20),
            new Demands(true, false),
            new View(true, false, false, true),
            false,
            report),
        new ForwardedRun(
            new Selection(List.of("x"), true),
            1,
            Duration.ofSeconds(1),
            new Demands(false, true),
            new View(false, true, true, false),
            true,
            report));
  }

  @ParameterizedTest
  @MethodSource("runs")
  void arrivesAsItWasSent(ForwardedRun run) {
    assertEquals(run, ForwardedRun.of(run.arguments()));
  }

  /** What this side would write of the tests is what the run itself wrote. */
  @Test
  void tellsOfItsTestsAsItsResultsDo(@TempDir Path folder) throws Exception {
    ForwardedOutput output = ForwardedOutput.text(new PrintStream(OutputStream.nullOutputStream()));
    Selftests samples =
        new Selftests(
            Stream.of("Passing", "Failing", "Skipping", "SkippedWhole", "FailingSetUp")
                .map("kvmselftest.runner.Samples$"::concat)
                .toList(),
            List.of("sample"));

    new SelftestRun(
            samples,
            Selection.all(),
            2,
            Duration.ofMinutes(1),
            Demands.NONE,
            Stream::empty,
            () -> HostFacts.UNKNOWN,
            ReportFolder.create(folder),
            Console.marked(output.asPrintStream(), View.PLAIN),
            TestWatch.NONE)
        .run();

    List<TestResult> told = output.tests("nothing was cut off");
    assertEquals(28, told.size());
    assertEquals(
        ResultsReader.read(folder).tests().stream().map(TestResult::unpublished).toList(), told);
  }
}
