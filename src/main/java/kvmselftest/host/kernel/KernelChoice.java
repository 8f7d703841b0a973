package kvmselftest.host.kernel;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** Which kernel to boot. */
public sealed interface KernelChoice {
  /** The kernel of the distribution's own package, the newest that its apt offers. */
  record Default() implements KernelChoice {}

  /** A bzImage that the user names. */
  record Image(Path path) implements KernelChoice {}

  /** A folder that the user names: a build tree, or an unpacked package. */
  record Folder(Path path) implements KernelChoice {}

  /**
   * A kernel's packages that the user has as files.
   *
   * @param paths .deb files that together have one kernel and its modules
   */
  record Debs(List<Path> paths) implements KernelChoice {
    public Debs {
      paths = List.copyOf(paths);
    }
  }

  /**
   * A kernel of a Debian release other than the machine's own.
   *
   * @param version one of {@link kvmselftest.host.debian.DebianKernels}, such as 6.1
   */
  record DebianRelease(String version) implements KernelChoice {}

  /** The kernel that runs on this machine. */
  record Running() implements KernelChoice {}

  /**
   * Reads what the user has typed: {@code host}, {@code debian:6.12}, a file, a folder, or .deb
   * files with colons between them. Whether they are there is seen later.
   */
  static KernelChoice of(String text) {
    String debian = "debian:";
    if (text.startsWith(debian)) {
      return new DebianRelease(text.substring(debian.length()));
    }
    if (text.equals("host")) {
      return new Running();
    }
    if (text.endsWith(".deb")) {
      return new Debs(Arrays.stream(text.split(":", -1)).map(Path::of).toList());
    }
    Path path = Path.of(text);
    return Files.isDirectory(path) ? new Folder(path) : new Image(path);
  }
}
