package kvmselftest.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import kvmselftest.runner.Demands;
import kvmselftest.runner.Selection;
import kvmselftest.runner.View;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ForwardedRunTest {
  static List<ForwardedRun> runs() {
    Path report = EmulatedRun.REPORT;
    return List.of(
        new ForwardedRun(
            Selection.all(), 1, Duration.ofSeconds(120), Demands.NONE, View.PLAIN, false, report),
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
}
