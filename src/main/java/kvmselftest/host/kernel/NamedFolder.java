package kvmselftest.host.kernel;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import kvmselftest.host.HostException;
import kvmselftest.host.UsageException;

/** Tells a build tree from an unpacked package, and both from what is neither. */
final class NamedFolder {
  private NamedFolder() {}

  static Candidate candidate(Path folder) throws HostException {
    if (BuildTree.isOne(folder)) {
      return BuildTree.candidate(folder);
    }
    if (UnpackedKernel.isOne(folder)) {
      return UnpackedKernel.candidate(folder);
    }
    throw new UsageException(otherTree(folder).orElseGet(() -> neither(folder)));
  }

  private static Optional<String> otherTree(Path folder) {
    Optional<String> other =
        Stream.of(
                "arm64/boot/Image", "riscv/boot/Image", "s390/boot/bzImage", "powerpc/boot/zImage")
            .filter(image -> Files.exists(folder.resolve("arch").resolve(image)))
            .findFirst();
    if (other.isPresent()) {
      return other.map(
          image ->
              folder
                  + " has a kernel for another architecture (arch/"
                  + image
                  + "); build one for x86-64");
    }
    return Files.exists(folder.resolve("Kconfig"))
        ? Optional.of(
            "no kernel is built in "
                + folder
                + ": it has no arch/x86/boot/bzImage; build it (make bzImage modules), or name"
                + " the folder that make O= built it in")
        : Optional.empty();
  }

  private static String neither(Path folder) {
    return "no kernel in "
        + folder
        + ": neither a build tree's arch/x86/boot/bzImage nor an unpacked package's"
        + " boot/vmlinuz-*; name a folder that has one, an image or .deb files";
  }
}
