package kvmselftest.runner;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Map.Entry;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Each reason for skipping once, with the tests it holds for. */
final class SkipReasons {
  private final Map<String, List<Outcome>> byReason;

  SkipReasons(Collection<Outcome> outcomes) {
    byReason =
        outcomes.stream()
            .filter(outcome -> outcome.result() == Result.SKIP)
            .collect(
                Collectors.groupingBy(Outcome::reason, LinkedHashMap::new, Collectors.toList()));
  }

  /** Lines to print; none if nothing was skipped. */
  List<String> lines() {
    return byReason.entrySet().stream().flatMap(SkipReasons::lines).toList();
  }

  private static Stream<String> lines(Entry<String, List<Outcome>> reason) {
    List<Outcome> tests = reason.getValue();
    Map<String, List<Outcome>> byClass =
        tests.stream()
            .collect(
                Collectors.groupingBy(
                    test -> test.name().className(), TreeMap::new, Collectors.toList()));
    return Stream.concat(
        Stream.of("Skipped %d: %s".formatted(tests.size(), reason.getKey())),
        byClass.entrySet().stream().flatMap(SkipReasons::names));
  }

  /** A class with several is named once, with their number. */
  private static Stream<String> names(Entry<String, List<Outcome>> ofClass) {
    List<Outcome> tests = ofClass.getValue();
    return tests.size() > 3
        ? Stream.of("  %s (%d tests)".formatted(ofClass.getKey(), tests.size()))
        : tests.stream().map(test -> "  " + test.title());
  }
}
