package kvmselftest.host.debian;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Reads os-release(5). */
final class OsRelease {
  private OsRelease() {}

  /** The machine's own fields; none when it has no such file. */
  static Map<String, String> ofMachine() {
    try {
      return parse(Files.readString(Path.of("/etc/os-release")));
    } catch (IOException e) {
      return Map.of();
    }
  }

  static Map<String, String> parse(String text) {
    Map<String, String> fields = new LinkedHashMap<>();
    for (String line : text.lines().toList()) {
      int equals = line.indexOf('=');
      if (equals > 0 && !line.startsWith("#")) {
        fields.put(line.substring(0, equals), unquoted(line.substring(equals + 1).strip()));
      }
    }
    return fields;
  }

  private static String unquoted(String value) {
    boolean quoted = value.length() >= 2 && (value.startsWith("\"") || value.startsWith("'"));
    return quoted ? value.substring(1, value.length() - 1) : value;
  }
}
