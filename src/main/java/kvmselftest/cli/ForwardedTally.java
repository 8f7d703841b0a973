package kvmselftest.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import kvmselftest.runner.Totals;

/**
 * How the tests have ended so far that run in the emulated host: it may die before it says so
 * itself. Not for more than one thread at a time.
 */
final class ForwardedTally {
  private static final String COLOUR = "\u001b\\[[0-9;]*m";

  /** The lines by their first word. */
  private final Map<String, List<String>> tests = new LinkedHashMap<>();

  /** Counts the line of a test's result. */
  void add(String line) {
    String[] words = line.replaceAll(COLOUR, "").strip().split("\\s+", 2);
    tests
        .computeIfAbsent(words[0], word -> new ArrayList<>())
        .add(words.length == 2 ? words[1] : "");
  }

  /** The one that was running when all ended counts as an error. */
  Totals totals() {
    return new Totals(count("ok"), count("FAIL") + count("HUNG"), count("skip"), 1);
  }

  /** Lines to print; none if no test has ended. */
  List<String> summary() {
    if (tests.isEmpty()) {
      return List.of();
    }
    return Stream.of(
            Stream.of("", "So far:"),
            names("Failed", "FAIL"),
            names("Timed out", "HUNG"),
            Stream.of(totals().toString()))
        .flatMap(lines -> lines)
        .toList();
  }

  private Stream<String> names(String heading, String word) {
    List<String> names = tests.getOrDefault(word, List.of());
    return names.isEmpty()
        ? Stream.of()
        : Stream.concat(
            Stream.of("%s %d:".formatted(heading, names.size())),
            names.stream().map(name -> "  " + name));
  }

  private int count(String word) {
    return tests.getOrDefault(word, List.of()).size();
  }
}
