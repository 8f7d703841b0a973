package kvmselftest.runner;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

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
    if (outcome.result() == Result.FAIL || outcome.result() == Result.ERROR) {
      outcome.message().lines().forEach(this::indented);
    }
    if (console.verbose() || outcome.result() == Result.FAIL) {
      outcome.published().lines().forEach(this::indented);
    }
  }

  synchronized Totals totals() {
    return Totals.of(outcomes);
  }

  /** The failed and the skipped by name, and the totals. */
  synchronized void summary() {
    List<Outcome> failed =
        outcomes.stream()
            .filter(test -> test.result() == Result.FAIL || test.result() == Result.ERROR)
            .toList();
    console.line("");
    if (!failed.isEmpty()) {
      console.line("Failed %d:".formatted(failed.size()));
      failed.forEach(test -> console.line("  " + test.title()));
    }
    new SkipReasons(outcomes).lines().forEach(console::line);
    console.line(totals().toString());
  }

  private void indented(String line) {
    console.line("      " + line);
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
