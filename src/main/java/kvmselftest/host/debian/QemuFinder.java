package kvmselftest.host.debian;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import kvmselftest.host.HostException;
import kvmselftest.host.Progress;

/** Finds a QEMU: the one named, the machine's own, or one from its distribution's packages. */
public final class QemuFinder {
  private static final String PROGRAM = "qemu-system-x86_64";
  private static final Pattern VERSION = Pattern.compile("version (\\d+\\.\\d+(\\.\\d+)*)");

  private final Packages packages;
  private final SearchPath path;

  public QemuFinder(Packages packages) {
    this(packages, SearchPath.ofProcess());
  }

  QemuFinder(Packages packages, SearchPath path) {
    this.packages = packages;
    this.path = path;
  }

  /**
   * The QEMU to use. One that cannot run CPUs in parallel is given only when no newer is to be had,
   * with a line that says so.
   *
   * @param named the user's own choice of a binary, taken whatever its version
   */
  public QemuInstallation find(Optional<Path> named, Progress progress) throws HostException {
    QemuInstallation found =
        named.isPresent() ? installed(named.get()) : ofMachineOrPackages(progress);
    if (!found.parallelCpus()) {
      progress.step(
          "QEMU "
              + found.version()
              + " cannot run CPUs in parallel without fault: they take turns (thread=single), and"
              + " tests that need parallel CPUs are skipped; QEMU 10 or newer is not available");
    }
    return found;
  }

  /** The QEMU to use where KVM runs the CPUs, which does so in parallel with any version. */
  public QemuInstallation findForKvm(Optional<Path> named, Progress progress) throws HostException {
    Optional<Path> binary = named.or(() -> path.find(PROGRAM));
    return binary.isPresent() ? installed(binary.get()) : unpacked(packages.qemu(progress));
  }

  private QemuInstallation ofMachineOrPackages(Progress progress) throws HostException {
    Optional<Path> own = path.find(PROGRAM);
    if (own.isEmpty()) {
      return unpacked(packages.qemu(progress));
    }
    QemuInstallation installed = installed(own.get());
    return installed.parallelCpus() ? installed : newerThan(installed, progress);
  }

  private QemuInstallation newerThan(QemuInstallation installed, Progress progress) {
    try {
      QemuInstallation unpacked = unpacked(packages.qemu(progress));
      return unpacked.parallelCpus() ? unpacked : installed;
    } catch (HostException e) {
      progress.step("using " + installed.binary() + ": " + e.getMessage());
      return installed;
    }
  }

  private static QemuInstallation installed(Path binary) throws HostException {
    return new QemuInstallation(
        binary, List.of(), Map.of(), version(binary.toAbsolutePath(), Map.of()));
  }

  /** A QEMU that lies elsewhere than it was built for must be told where its things are. */
  private static QemuInstallation unpacked(Path root) throws HostException {
    Path binary = root.resolve("usr/bin").resolve(PROGRAM);
    String libraries =
        root.resolve("usr/lib/x86_64-linux-gnu") + ":" + root.resolve("lib/x86_64-linux-gnu");
    Map<String, String> environment =
        Map.of(
            "LD_LIBRARY_PATH",
            libraries,
            "QEMU_MODULE_DIR",
            root.resolve("usr/lib/x86_64-linux-gnu/qemu").toString());
    List<Path> firmware =
        Stream.of("usr/share/qemu", "usr/share/seabios", "usr/lib/ipxe/qemu")
            .map(root::resolve)
            .filter(Files::isDirectory)
            .toList();
    return new QemuInstallation(binary, firmware, environment, version(binary, environment));
  }

  private static String version(Path binary, Map<String, String> environment) throws HostException {
    Command.Result said =
        new Command(List.of(binary.toString(), "--version"), Path.of("/"), environment).run();
    Matcher version = VERSION.matcher(said.out());
    if (said.status() != 0 || !version.find()) {
      String why = said.err().lines().findFirst().orElse("it ended with status " + said.status());
      throw new HostException(
          binary + " does not run: " + why + "; name another QEMU or reinstall this one");
    }
    return version.group(1);
  }
}
