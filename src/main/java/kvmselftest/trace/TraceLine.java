package kvmselftest.trace;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Map.Entry;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A line of the trace: as text for people, as an object of JSON for programs.
 *
 * @param fields in the order in which they are written; numbers and texts
 */
record TraceLine(Map<String, Object> fields) {
  /** What the text has in front, or not at all. */
  private static final Set<String> NOT_LISTED =
      Set.of("time_ns", "host_tsc", "host_tsc_after", "exact", "op", "event", "text");

  /** Counters of 64 bits that have no sign. */
  private static final Set<String> UNSIGNED =
      Set.of("tsc", "ns", "realtime_ns", "clock_host_tsc", "host_tsc", "host_tsc_after");

  private static final Set<String> HEX = Set.of("flags", "data");

  static TraceLine ofTest(String name) {
    return new TraceLine(Map.of("test", name));
  }

  static TraceLine ofNote(String text) {
    return new TraceLine(Map.of("note", text));
  }

  static TraceLine of(TimedLine line, HostTime time) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("time_ns", time.nanosAt(line.hostTsc()));
    fields.put("host_tsc", line.hostTsc());
    fields.putAll(line.fields());
    return new TraceLine(fields);
  }

  String text() {
    if (fields.containsKey("test")) {
      return "\n== " + fields.get("test");
    }
    if (fields.containsKey("note")) {
      return "# " + fields.get("note");
    }
    long nanos = (Long) Objects.requireNonNull(fields.get("time_ns"));
    String time =
        String.format(Locale.ROOT, "[%5d.%09d]", nanos / 1_000_000_000, nanos % 1_000_000_000);
    return fields.containsKey("event")
        ? "%s     kernel: %s %s".formatted(time, fields.get("event"), fields.get("text"))
        : "%s %s %s".formatted(time, fields.get("op"), listed());
  }

  private String listed() {
    return fields.entrySet().stream()
        .filter(field -> !NOT_LISTED.contains(field.getKey()))
        .map(TraceLine::shown)
        .collect(Collectors.joining(", "));
  }

  private static String shown(Entry<String, Object> field) {
    String name = field.getKey();
    if (!(field.getValue() instanceof Long number)) {
      return name + "=" + field.getValue();
    }
    if (HEX.contains(name)) {
      return name + "=0x" + Long.toHexString(number);
    }
    return name + "=" + (UNSIGNED.contains(name) ? Long.toUnsignedString(number) : number);
  }

  String json() {
    return fields.entrySet().stream()
        .map(field -> quoted(field.getKey()) + ":" + jsonOf(field))
        .collect(Collectors.joining(",", "{", "}"));
  }

  private static String jsonOf(Entry<String, Object> field) {
    return switch (field.getValue()) {
      case Long number when UNSIGNED.contains(field.getKey()) -> Long.toUnsignedString(number);
      case Number number -> number.toString();
      case Boolean truth -> truth.toString();
      case Object text -> quoted(text.toString());
    };
  }

  /** RFC 8259, section 7. */
  private static String quoted(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    text.chars()
        .forEach(
            character -> {
              if (character == '"' || character == '\\') {
                quoted.append('\\').append((char) character);
              } else if (character < ' ') {
                quoted.append("\\u%04x".formatted(character));
              } else {
                quoted.append((char) character);
              }
            });
    return quoted.append('"').toString();
  }
}
