package kvmselftest.host.debian;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A package that apt can fetch.
 *
 * @param depends the names of packages it may need, alternatives among them
 */
record DebPackage(String name, String version, List<String> depends) {
  DebPackage {
    depends = List.copyOf(depends);
  }

  /** As apt-get takes it on its command line. */
  String pinned() {
    return name + "=" + version;
  }

  /** Reads what {@code apt-cache show} says of one package. */
  static DebPackage ofStanza(String stanza) {
    Map<String, String> fields = new LinkedHashMap<>();
    for (String line : stanza.lines().takeWhile(line -> !line.isBlank()).toList()) {
      String[] parts = line.split(": ", 2);
      if (parts.length == 2 && !line.startsWith(" ")) {
        fields.put(parts[0], parts[1]);
      }
    }
    return new DebPackage(
        fields.getOrDefault("Package", ""),
        fields.getOrDefault("Version", ""),
        Stream.of("Pre-Depends", "Depends")
            .flatMap(field -> names(fields.getOrDefault(field, "")))
            .toList());
  }

  private static Stream<String> names(String depends) {
    return Arrays.stream(depends.split("[,|]", -1))
        .map(one -> one.strip().replaceFirst("[ (:].*", ""))
        .filter(name -> !name.isEmpty());
  }

  /** Reads a line of {@code apt-get --print-uris}: 'address' name_version_architecture.deb size. */
  static DebPackage ofUriLine(String line) {
    String[] parts = line.split(" ", 3)[1].split("_", 3);
    // A version's colon is written %3a there, but its plus signs are meant as they stand.
    String version = URLDecoder.decode(parts[1].replace("+", "%2b"), StandardCharsets.UTF_8);
    return new DebPackage(parts[0], version, List.of());
  }
}
