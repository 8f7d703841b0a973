package kvmselftest.selftests;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Map;
import kvmselftest.results.Measurement;
import kvmselftest.x86.CounterWindow;
import kvmselftest.x86.ErrorBounds;

/** What {@code TestReporter} takes: a text for people, with its numbers for programs. */
final class Measured {
  /** Digits after the point of a rate. */
  private static final int DIGITS = 4;

  private Measured() {}

  /**
   * An error that is to be none.
   *
   * @param what the same in every run, unlike the text
   */
  static Map<String, String> error(String text, String what, ErrorBounds error) {
    return Measurement.ofError(what, error.unit(), error.least(), error.most(), error.samples())
        .entry(text);
  }

  /** One reading of a counter, and the window in which it has to lie. */
  static Map<String, String> reading(
      String text, String what, String unit, long observed, CounterWindow expected) {
    ErrorBounds error = new ErrorBounds(unit);
    error.add(observed, expected);
    return error(text, what, error);
  }

  /** A value that is known exactly, and its range. */
  static Map<String, String> value(
      String text, String what, String unit, long value, CounterWindow expected) {
    return Measurement.ofValue(what, unit, value, expected.from(), expected.to()).entry(text);
  }

  /** A value that is known to lie between two, and its range. */
  static Map<String, String> between(
      String text, String what, String unit, double least, double most, double from, double to) {
    return new Measurement(what, unit, of(least), of(most), of(from), of(to), 1).entry(text);
  }

  private static BigDecimal of(double number) {
    return BigDecimal.valueOf(number).setScale(DIGITS, RoundingMode.HALF_EVEN);
  }
}
