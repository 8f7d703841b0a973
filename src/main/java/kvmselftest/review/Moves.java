package kvmselftest.review;

import java.math.BigDecimal;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import kvmselftest.results.Measurement;
import kvmselftest.results.TestResult;

/** Values that a test measured in both runs and that are not the same any more. */
final class Moves {
  private static final BigDecimal TWO = BigDecimal.valueOf(2);

  private Moves() {}

  /**
   * A line for each that moved: what the two runs leave open has nothing in common, and the middles
   * lie further apart than the detection floor of the better run.
   */
  static Stream<String> of(TestResult before, TestResult after) {
    Map<String, Measurement> old = byWhat(before);
    return byWhat(after).entrySet().stream()
        .flatMap(
            now ->
                Optional.ofNullable(old.get(now.getKey()))
                    .filter(then -> moved(then, now.getValue()))
                    .map(then -> line(now.getKey(), then, now.getValue()))
                    .stream());
  }

  private static boolean moved(Measurement before, Measurement after) {
    return before.unit().equals(after.unit())
        && (before.most().compareTo(after.least()) < 0
            || after.most().compareTo(before.least()) < 0)
        && middle(after).subtract(middle(before)).abs().compareTo(floor(before, after)) > 0;
  }

  private static String line(String what, Measurement before, Measurement after) {
    return "%s: %s became %s %s, floor %s %s"
        .formatted(
            what,
            range(before),
            range(after),
            after.unit(),
            plain(floor(before, after)),
            after.unit());
  }

  private static BigDecimal floor(Measurement before, Measurement after) {
    return before.floor().min(after.floor());
  }

  private static BigDecimal middle(Measurement value) {
    return value.least().add(value.most()).divide(TWO);
  }

  static String range(Measurement value) {
    return value.least().compareTo(value.most()) == 0
        ? plain(value.least())
        : "[%s, %s]".formatted(plain(value.least()), plain(value.most()));
  }

  private static String plain(BigDecimal number) {
    return number.stripTrailingZeros().toPlainString();
  }

  /** What is measured several times is told apart by its order. */
  private static Map<String, Measurement> byWhat(TestResult test) {
    Map<String, Measurement> values = new LinkedHashMap<>();
    Map<String, Integer> times = new HashMap<>();
    for (Measurement value : ResultsReader.measurements(test)) {
      int time = times.merge(value.what(), 1, Integer::sum);
      values.put(time == 1 ? value.what() : value.what() + " (" + time + ")", value);
    }
    return values;
  }
}
