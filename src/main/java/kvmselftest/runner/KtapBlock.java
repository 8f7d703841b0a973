package kvmselftest.runner;

import java.util.LinkedHashSet;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Consumer;

/** The subtests of one class, and then its own result. */
final class KtapBlock {
  private static final String INDENT = "  ";

  /** Stands for what is of no test: set-up and tear-down. */
  private static final String OWN = "the class itself";

  private final Consumer<String> lines;
  private final boolean verbose;
  private final String round;
  private final String className;
  private final Set<String> skipReasons = new LinkedHashSet<>();
  private int tests;
  private int failed;
  private int skipped;

  KtapBlock(Consumer<String> lines, boolean verbose, String round, String className) {
    this.lines = lines;
    this.verbose = verbose;
    this.round = round;
    this.className = className;
  }

  boolean isOf(String otherRound, String otherClass) {
    return round.equals(otherRound) && className.equals(otherClass);
  }

  /**
   * The lines before the subtests. The name is for parsers that meet no plan: the kernel's own
   * kunit_parser.py then reads on to the result of this name.
   *
   * @param first of the outcomes to come
   */
  void begin(String version, Outcome first, OptionalInt planned) {
    line(version);
    line("# Subtest: " + title());
    if (first.name().methodName().isEmpty()) {
      line("1..1"); // its set-up failed, and no test of it will run
    } else if (planned.isPresent()) {
      line("1.." + planned.getAsInt());
    }
  }

  void add(Outcome outcome) {
    diagnostics(outcome);
    tests++;
    String name = outcome.name().inClass();
    String description = tests + " " + KtapText.description(name.isEmpty() ? OWN : name);
    switch (outcome.result()) {
      case PASS -> line("ok " + description);
      case SKIP -> {
        skipped++;
        String reason = KtapText.description(outcome.reason());
        skipReasons.add(reason);
        line("ok " + description + " # SKIP " + reason);
      }
      case FAIL -> fail(description, "");
      case TIMEOUT -> fail(description, " # TIMEOUT " + KtapText.description(bound(outcome)));
      case ERROR -> fail(description, " # ERROR " + KtapText.description(outcome.reason()));
    }
  }

  /** The reason up to where it says at what place the test was. */
  private static String bound(Outcome outcome) {
    return outcome.reason().replaceFirst(";.*", "");
  }

  private void fail(String description, String directive) {
    failed++;
    line("not ok " + description + directive);
  }

  private void diagnostics(Outcome outcome) {
    boolean bad = outcome.result().isBad();
    if (bad) {
      outcome.message().lines().map(KtapText::diagnostic).forEach(this::line);
    }
    if (bad || verbose) {
      outcome.published().lines().stream()
          .flatMap(String::lines)
          .map(KtapText::diagnostic)
          .forEach(this::line);
    }
  }

  /** The line of the class. */
  String result(int number) {
    String description = number + " " + title();
    if (failed > 0) {
      return "not ok " + description;
    }
    return skipped == tests ? "ok " + description + " # SKIP " + skipReason() : "ok " + description;
  }

  private String skipReason() {
    String first = skipReasons.iterator().next();
    return skipReasons.size() == 1
        ? first
        : "%s (and %d other reasons)".formatted(first, skipReasons.size() - 1);
  }

  private String title() {
    return KtapText.description(round + className);
  }

  private void line(String text) {
    lines.accept(INDENT + text);
  }
}
