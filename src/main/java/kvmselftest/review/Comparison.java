package kvmselftest.review;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import kvmselftest.results.Results;
import kvmselftest.results.Status;
import kvmselftest.results.TestResult;
import org.jspecify.annotations.Nullable;

/**
 * What differs between two runs.
 *
 * @param before the first
 * @param after the second
 */
public record Comparison(Results before, Results after) {
  /** A class with more tests than this in one list is named with their number. */
  private static final int NAMED = 10;

  private static final int FAILURE_LINES = 4;

  /**
   * Whether something got worse: a test newly fails, one that ran is skipped or gone, or the second
   * run has no verdict.
   */
  public boolean isWorse() {
    return !after.hasVerdict()
        || pairs().stream().anyMatch(pair -> pair.newlyFails() || pair.stoppedRunning());
  }

  /** For people; only what differs, or one line that says that nothing does. */
  public List<String> lines() {
    List<String> lines = new ArrayList<>();
    if (!before.hasVerdict()) {
      lines.add("No verdict before: " + before.reason());
    }
    if (!after.hasVerdict()) {
      lines.add("No verdict after: " + after.reason());
    }
    host(lines);
    behaviours(lines);
    List<Pair> pairs = pairs();
    list(lines, "Newly failing", pairs.stream().filter(Pair::newlyFails), Comparison::failure);
    list(lines, "Newly passing", pairs.stream().filter(Pair::newlyPasses), pair -> List.of());
    list(lines, "Newly skipped", pairs.stream().filter(Pair::newlySkipped), Comparison::reason);
    list(lines, "Newly run", pairs.stream().filter(Pair::newlyRun), pair -> List.of());
    list(lines, "Only before", pairs.stream().filter(Pair::isGone), pair -> List.of());
    list(lines, "Only after", pairs.stream().filter(Pair::isNew), pair -> List.of());
    list(lines, "Moved", pairs.stream().filter(pair -> !pair.moves().isEmpty()), Pair::moves);
    return lines.isEmpty() ? List.of("Nothing differs.") : List.copyOf(lines);
  }

  private void host(List<String> lines) {
    Map<String, Function<Results, String>> facts = new LinkedHashMap<>();
    facts.put("kernel", results -> results.host().kernel());
    facts.put("CPU", results -> results.host().cpu());
    facts.put("clocksource", results -> results.host().clocksource());
    facts.put("vendor module", results -> results.host().vendorModule());
    facts.put("machine", results -> results.host().machine());
    facts.put("emulator", results -> results.host().emulator());
    facts.put("capabilities", Comparison::capabilities);
    facts.forEach((name, fact) -> differ(lines, name, fact.apply(before), fact.apply(after)));
  }

  private static String behaviour(Results results, String key) {
    String unseen = results.hasVerdict() ? "not seen" : "";
    return results.behaviours().getOrDefault(key, unseen);
  }

  private static String capabilities(Results results) {
    Map<String, Integer> answers = results.host().capabilities();
    return answers.isEmpty() ? "" : answers.toString();
  }

  private void behaviours(List<String> lines) {
    Set<String> keys = new LinkedHashSet<>(before.behaviours().keySet());
    keys.addAll(after.behaviours().keySet());
    for (String key : keys) {
      differ(lines, "behaviour " + key, behaviour(before, key), behaviour(after, key));
    }
  }

  /** A run that was cut off knows less; that is no difference. */
  private static void differ(List<String> lines, String what, String before, String after) {
    if (!before.isEmpty() && !after.isEmpty() && !before.equals(after)) {
      lines.add("%s: %s became %s".formatted(what, before, after));
    }
  }

  private static void list(
      List<String> lines, String title, Stream<Pair> found, Function<Pair, List<String>> details) {
    Map<String, List<Pair>> byClass = new LinkedHashMap<>();
    found.forEach(
        pair -> byClass.computeIfAbsent(pair.className(), _ -> new ArrayList<>()).add(pair));
    if (byClass.isEmpty()) {
      return;
    }
    lines.add("%s: %d".formatted(title, byClass.values().stream().mapToInt(List::size).sum()));
    for (Map.Entry<String, List<Pair>> ofClass : byClass.entrySet()) {
      List<Pair> pairs = ofClass.getValue();
      Set<List<String>> said = new LinkedHashSet<>(pairs.stream().map(details).toList());
      if (pairs.size() > NAMED && said.size() == 1) {
        lines.add("  %s (%d tests)".formatted(ofClass.getKey(), pairs.size()));
        said.iterator().next().forEach(line -> lines.add("      " + line));
        continue;
      }
      for (Pair pair : pairs) {
        lines.add("  " + pair.name());
        details.apply(pair).forEach(line -> lines.add("      " + line));
      }
    }
  }

  private static List<String> failure(Pair pair) {
    return pair.lastly().message().lines().limit(FAILURE_LINES).toList();
  }

  private static List<String> reason(Pair pair) {
    return List.of(pair.lastly().reason());
  }

  private List<Pair> pairs() {
    Map<String, TestResult> old = Worst.byName(before);
    Map<String, TestResult> now = Worst.byName(after);
    return Worst.names(List.of(now, old)).stream()
        .map(name -> new Pair(name, Worst.in(old, name), Worst.in(now, name)))
        .toList();
  }

  /** One test in both runs; null where it is not. */
  private record Pair(String name, @Nullable TestResult before, @Nullable TestResult after) {
    TestResult lastly() {
      return after != null ? after : Objects.requireNonNull(before);
    }

    private static boolean is(@Nullable TestResult test, Status status) {
      return test != null && test.status() == status;
    }

    String className() {
      return lastly().className();
    }

    boolean newlyFails() {
      return is(after, Status.FAIL) && !is(before, Status.FAIL);
    }

    boolean newlyPasses() {
      return is(after, Status.PASS) && is(before, Status.FAIL);
    }

    boolean newlySkipped() {
      return is(after, Status.SKIP) && before != null && !is(before, Status.SKIP);
    }

    boolean newlyRun() {
      return is(before, Status.SKIP) && after != null && !is(after, Status.SKIP);
    }

    boolean isGone() {
      return after == null;
    }

    boolean isNew() {
      return before == null;
    }

    boolean stoppedRunning() {
      return newlySkipped() || (isGone() && !is(before, Status.SKIP));
    }

    List<String> moves() {
      return before == null || after == null ? List.of() : Moves.of(before, after).toList();
    }
  }
}
