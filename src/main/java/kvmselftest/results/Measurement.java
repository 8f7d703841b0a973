package kvmselftest.results;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A number that a test measured, for comparison with another run's.
 *
 * @param what is measured, in words that do not change from run to run; one of its kind in its test
 * @param unit of all numbers but the samples: ticks, ns, us, ppm, kHz
 * @param least the value is not less than this
 * @param most the value is not more than this; equal to least where it is known exactly
 * @param expectedLeast the test fails when the value is less
 * @param expectedMost the test fails when the value is more
 * @param samples how many readings it was made of, 1 or more
 */
public record Measurement(
    String what,
    String unit,
    BigDecimal least,
    BigDecimal most,
    BigDecimal expectedLeast,
    BigDecimal expectedMost,
    long samples) {
  /** The key of the TestReporter entry that carries one. */
  public static final String KEY = "measured";

  /** An error that is to be none, in whole ticks or ns: see {@code ErrorBounds}. */
  public static Measurement ofError(String what, String unit, long least, long most, long samples) {
    return new Measurement(
        what,
        unit,
        BigDecimal.valueOf(least),
        BigDecimal.valueOf(most),
        BigDecimal.ZERO,
        BigDecimal.ZERO,
        samples);
  }

  /** A value that is known exactly, and its range. */
  public static Measurement ofValue(
      String what, String unit, long value, long expectedLeast, long expectedMost) {
    return new Measurement(
        what,
        unit,
        BigDecimal.valueOf(value),
        BigDecimal.valueOf(value),
        BigDecimal.valueOf(expectedLeast),
        BigDecimal.valueOf(expectedMost),
        1);
  }

  /**
   * The detection floor: a value that is off by more than this, whatever the sign, would have been
   * seen.
   */
  public BigDecimal floor() {
    return expectedMost.subtract(least).max(most.subtract(expectedLeast)).max(BigDecimal.ZERO);
  }

  /** What a test publishes: a text for people, and this for programs. */
  public Map<String, String> entry(String text) {
    Map<String, String> entry = new LinkedHashMap<>();
    entry.put(Published.NAMELESS, text);
    entry.put(KEY, json());
    return entry;
  }

  private String json() {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = ResultsJson.FACTORY.createGenerator(text)) {
      json.writeStartObject();
      json.writeStringField("what", what);
      json.writeStringField("unit", unit);
      json.writeNumberField("least", least);
      json.writeNumberField("most", most);
      json.writeNumberField("expectedLeast", expectedLeast);
      json.writeNumberField("expectedMost", expectedMost);
      json.writeNumberField("floor", floor());
      json.writeNumberField("samples", samples);
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return text.toString();
  }
}
