package kvmselftest.host.debian;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import kvmselftest.host.HostException;

/**
 * The machine's apt with lists, sources and a cache of its own in a folder: needs no root, changes
 * nothing on the machine, and verifies signatures as ever. Proxies and the like stay as the machine
 * has them. One process at a time.
 */
final class PrivateApt {
  private final SourceList sources;
  private final Path folder;
  private boolean updated;

  PrivateApt(SourceList sources, Path folder) {
    this.sources = sources;
    this.folder = folder;
  }

  /** Fetches the package lists anew, once in this object's life. */
  void update() throws IOException, HostException {
    if (updated) {
      return;
    }
    if (!Files.isReadable(Path.of(sources.family().keyring()))) {
      throw new HostException(
          "the signatures of "
              + sources.name()
              + "'s packages cannot be verified: no "
              + sources.family().keyring()
              + "; install the package of that name");
    }
    set();
    run(folder, "the package lists of " + sources.name(), "apt-get", List.of("-q", "update"));
    updated = true;
  }

  private void set() throws IOException {
    for (String part : List.of("sources", "lists/partial", "archives/partial")) {
      Files.createDirectories(folder.resolve(part));
    }
    Files.writeString(folder.resolve("sources/own.sources"), sources.text());
    Files.writeString(folder.resolve("apt.conf"), configuration());
  }

  /**
   * Read after the machine's own files, so that it has the last word. No package counts as
   * installed: what is chosen is then the same on every machine of one release.
   */
  private String configuration() {
    return """
    Dir::Etc::SourceList "/dev/null";
    Dir::Etc::SourceParts "%1$s/sources";
    Dir::Etc::Preferences "/dev/null";
    Dir::Etc::PreferencesParts "/dev/null";
    Dir::State "%1$s";
    Dir::State::Lists "%1$s/lists";
    Dir::State::status "/dev/null";
    Dir::Cache "%1$s";
    Dir::Cache::archives "%1$s/archives";
    Dir::Cache::pkgcache "";
    Dir::Cache::srcpkgcache "";
    #clear APT::Update::Pre-Invoke;
    #clear APT::Update::Post-Invoke;
    #clear APT::Update::Post-Invoke-Success;
    // Root's apt would fetch as a user who cannot read this folder.
    APT::Sandbox::User "root";
    // Some lists fetched are not enough: what is newest may be in the others.
    APT::Update::Error-Mode "any";
    APT::Install-Recommends "false";
    Acquire::Languages "none";
    Acquire::GzipIndexes "true";
    Acquire::Retries "2";
    Acquire::http::Timeout "20";
    Acquire::https::Timeout "20";
    """
        .formatted(folder);
  }

  /** The newest package of that name. */
  Optional<DebPackage> find(String name) throws HostException {
    Command.Result shown =
        command(folder, "apt-cache", List.of("show", "--no-all-versions", name)).run();
    return shown.status() == 0 && !shown.out().isBlank()
        ? Optional.of(DebPackage.ofStanza(shown.out()))
        : Optional.empty();
  }

  /** The package and everything it depends on. */
  List<DebPackage> withAllItNeeds(String name) throws HostException {
    List<String> arguments = new ArrayList<>(List.of("-qq", "--print-uris", "--yes", "install"));
    sources.preferred().ifPresent(suite -> arguments.add("--target-release=" + suite));
    arguments.add(name);
    return run(folder, "what " + name + " depends on", "apt-get", arguments)
        .lines()
        .filter(line -> line.startsWith("'"))
        .map(DebPackage::ofUriLine)
        .toList();
  }

  /** Fetches .deb files, verified, into a folder. */
  void download(List<DebPackage> packages, Path into) throws HostException {
    List<String> arguments =
        Stream.concat(Stream.of("-q", "download"), packages.stream().map(DebPackage::pinned))
            .toList();
    run(into, packages.getFirst().name(), "apt-get", arguments);
  }

  private String run(Path in, String what, String program, List<String> arguments)
      throws HostException {
    Command.Result result = command(in, program, arguments).run();
    if (result.status() != 0) {
      String reason = reason(result);
      String advice =
          reason.contains("No space left on device")
              ? "make room on the disk"
              : "check the network and apt's sources";
      throw new HostException("cannot get " + what + ": " + reason + "; " + advice);
    }
    return result.out();
  }

  private Command command(Path in, String program, List<String> arguments) {
    List<String> words =
        new ArrayList<>(List.of(program, "-c", folder.resolve("apt.conf").toString()));
    words.addAll(arguments);
    return new Command(words, in, Map.of());
  }

  /** The first error; what failed to be fetched says more than what followed from it. */
  private static String reason(Command.Result result) {
    List<String> errors =
        result
            .err()
            .lines()
            .filter(line -> line.startsWith("E: "))
            .map(l -> l.substring(3))
            .toList();
    return errors.stream()
        .filter(error -> error.startsWith("Failed to fetch"))
        .findFirst()
        .or(() -> errors.stream().findFirst())
        .orElse("apt ended with status " + result.status());
  }
}
