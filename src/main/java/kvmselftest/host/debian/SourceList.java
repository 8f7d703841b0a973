package kvmselftest.host.debian;

import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Archives to fetch packages from, in a list of their own that leaves the machine's alone.
 *
 * @param name tells it from other lists; a file name
 * @param entries the suites
 * @param preferred the suite to be preferred to the others (apt's target release)
 */
record SourceList(
    String name, Distribution.Family family, List<Entry> entries, Optional<String> preferred) {
  /** A suite, and the archive that has it. */
  record Entry(String uri, String suite) {}

  SourceList {
    entries = List.copyOf(entries);
  }

  /** One suite alone. */
  static SourceList of(Distribution.Family family, String uri, String suite) {
    return new SourceList(suite, family, List.of(new Entry(uri, suite)), Optional.empty());
  }

  /** This list and one suite more, which comes first. */
  SourceList preferring(String uri, String suite) {
    List<Entry> all = Stream.concat(entries.stream(), Stream.of(new Entry(uri, suite))).toList();
    return new SourceList(suite, family, all, Optional.of(suite));
  }

  /** As sources.list(5) has it; only what the archive's own keys have signed is taken. */
  String text() {
    return entries.stream().map(this::stanza).collect(Collectors.joining("\n"));
  }

  private String stanza(Entry entry) {
    return """
    Types: deb
    URIs: %s
    Suites: %s
    Components: %s
    Architectures: amd64
    Signed-By: %s
    """
        .formatted(entry.uri(), entry.suite(), family.components(), family.keyring());
  }
}
