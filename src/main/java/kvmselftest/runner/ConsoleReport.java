package kvmselftest.runner;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** Shows each test as it ends, and at the end what is worth reading again. */
final class ConsoleReport {
  private final Console console;
  private final List<Outcome> outcomes = new ArrayList<>();

  ConsoleReport(Console console) {
    this.console = console;
  }

  synchronized void add(Outcome outcome) {
    outcomes.add(outcome);
    console.line(outcome.result(), outcome.title() + time(outcome.took()));
    if (outcome.result().isBad()) {
      indented(outcome, outcome.message().lines());
    }
    if (console.verbose() || outcome.result().isBad()) {
      indented(outcome, outcome.published().lines().stream().flatMap(String::lines));
    }
  }

  synchronized Totals totals() {
    return Totals.of(outcomes);
  }

  /** The failed, the timed-out and the skipped by name, and the totals. */
  synchronized void summary() {
    console.line("");
    names("Failed", Result.FAIL);
    names("Timed out", Result.TIMEOUT);
    names("Interrupted", Result.ERROR);
    new SkipReasons(outcomes).lines().forEach(console::line);
    console.line(totals().toString());
  }

  private void names(String heading, Result result) {
    List<Outcome> tests = outcomes.stream().filter(test -> test.result() == result).toList();
    if (!tests.isEmpty()) {
      console.line("%s %d:".formatted(heading, tests.size()));
      tests.forEach(test -> console.line("  " + test.title()));
    }
  }

  private void indented(Outcome outcome, Stream<String> lines) {
    lines.forEach(line -> console.detail(outcome.result(), "      " + line));
  }

  private static String time(Duration took) {
    if (took.isZero()) {
      return "";
    }
    return took.toMillis() < 1000
        ? " (%d ms)".formatted(took.toMillis())
        : String.format(Locale.ROOT, " (%.1f s)", took.toMillis() / 1000.0);
  }
}
