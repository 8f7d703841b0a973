package kvmselftest.host.debian;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import kvmselftest.host.HostException;

/**
 * Where the machine gets its distribution's packages from, as its apt is set up.
 *
 * @param main the archive that has the release
 * @param suites the release and its updates: each suite with its archive
 */
record Mirrors(String main, Map<String, String> suites) {
  Mirrors {
    suites = Map.copyOf(suites);
  }

  /** Asks apt, which needs no package lists for it. */
  static Mirrors ofMachine(Distribution distribution) throws HostException {
    Command.Result targets =
        Command.of(
                "apt-get",
                "indextargets",
                "--no-release-info",
                "--format",
                "$(RELEASE) $(COMPONENT) $(REPO_URI)")
            .run();
    return of(distribution, targets.out());
  }

  /**
   * Picks the distribution's own archives out of lines of suite, component and archive. Archives of
   * others may use the same suite and component; they do not name the distribution in their
   * address.
   */
  static Mirrors of(Distribution distribution, String targets) {
    String codename = distribution.codename();
    Map<String, String> found = new LinkedHashMap<>();
    for (String line : targets.lines().toList()) {
      List<String> words = List.of(line.split(" ", 3));
      if (words.size() == 3
          && words.get(1).equals("main")
          && words.get(2).contains(distribution.family().name().toLowerCase(Locale.ROOT))) {
        found.putIfAbsent(words.get(0), words.get(2));
      }
    }
    String main = Optional.ofNullable(found.get(codename)).orElse(distribution.family().mirror());
    Map<String, String> suites = new LinkedHashMap<>(Map.of(codename, main));
    for (String suffix : List.of("-updates", "-security")) {
      Optional.ofNullable(found.get(codename + suffix))
          .ifPresent(uri -> suites.put(codename + suffix, uri));
    }
    return new Mirrors(main, suites);
  }

  /** The machine's own suites. */
  SourceList own(Distribution distribution) {
    List<SourceList.Entry> entries = new ArrayList<>();
    suites.forEach((suite, uri) -> entries.add(new SourceList.Entry(uri, suite)));
    return new SourceList(
        distribution.codename(), distribution.family(), entries, Optional.empty());
  }
}
