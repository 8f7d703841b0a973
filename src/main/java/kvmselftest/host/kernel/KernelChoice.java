package kvmselftest.host.kernel;

import java.nio.file.Path;

/** Which kernel to boot. */
public sealed interface KernelChoice {
  /** The kernel of the distribution's own package, the newest that its apt offers. */
  record Default() implements KernelChoice {}

  /** A bzImage that the user names. */
  record Image(Path path) implements KernelChoice {}

  /**
   * A kernel of a Debian release other than the machine's own.
   *
   * @param version one of 5.10, 6.1, 6.12, 7.2
   */
  record DebianRelease(String version) implements KernelChoice {}
}
