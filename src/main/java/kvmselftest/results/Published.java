package kvmselftest.results;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a test published through JUnit's TestReporter.
 *
 * @param observed texts by their key, in their order
 * @param measured numbers with their range and floor, each as {@link Measurement} writes it
 * @param charts what charts are drawn of: JSON by its key, which begins with {@value #CHART}
 */
public record Published(
    Map<String, String> observed, List<String> measured, Map<String, String> charts) {
  /** Nothing. */
  public static final Published NOTHING = new Published(Map.of(), List.of(), Map.of());

  /** How the keys of charts begin. */
  public static final String CHART = "chart.";

  /** Under which JUnit files a text published without a key. */
  static final String NAMELESS = "value";

  public Published {
    observed = Collections.unmodifiableMap(new LinkedHashMap<>(observed));
    measured = List.copyOf(measured);
    charts = Collections.unmodifiableMap(new LinkedHashMap<>(charts));
  }

  /** This and one entry more. A key that is taken already gets a number: {@code clock 2}. */
  public Published plus(String key, String value) {
    Map<String, String> texts = new LinkedHashMap<>(observed);
    List<String> numbers = new ArrayList<>(measured);
    Map<String, String> drawn = new LinkedHashMap<>(charts);
    if (key.startsWith(CHART)) {
      put(drawn, key, value);
    } else if (key.equals(Measurement.KEY)) {
      numbers.add(value);
    } else {
      put(texts, key, value);
    }
    return new Published(texts, numbers, drawn);
  }

  /** For people: {@code name = value}, or the value alone where it was published without a name. */
  public List<String> lines() {
    return observed.entrySet().stream()
        .map(
            entry ->
                isNameless(entry.getKey())
                    ? entry.getValue()
                    : entry.getKey() + " = " + entry.getValue())
        .toList();
  }

  private static boolean isNameless(String key) {
    return key.equals(NAMELESS) || key.startsWith(NAMELESS + " ");
  }

  private static void put(Map<String, String> entries, String key, String value) {
    String free = key;
    for (int i = 2; entries.containsKey(free); i++) {
      free = key + " " + i;
    }
    entries.put(free, value);
  }
}
