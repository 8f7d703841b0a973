package kvmselftest.host.kernel;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import kvmselftest.host.HostException;
import kvmselftest.host.UsageException;

/**
 * The kernel that runs on this machine, by the files it was booted from.
 *
 * @param root /
 * @param release what {@code uname -r} gives
 */
record RunningKernel(Path root, String release) {
  static RunningKernel ofMachine() {
    return new RunningKernel(Path.of("/"), System.getProperty("os.version"));
  }

  Candidate candidate() throws HostException {
    List<Path> places =
        Stream.of("boot/vmlinuz-" + release, "lib/modules/" + release + "/vmlinuz")
            .map(root::resolve)
            .toList();
    Optional<Path> image = places.stream().filter(Files::exists).findFirst();
    if (image.isEmpty()) {
      throw new UsageException(
          "the running kernel "
              + release
              + " cannot be booted: neither "
              + places.getFirst()
              + " nor "
              + places.getLast()
              + " is there (a container or a small virtual machine has none); name an image");
    }
    Path modules = root.resolve("lib/modules").resolve(release);
    return new Candidate(BzImage.read(image.get()), List.of(FallbackPlace.folder(modules)));
  }
}
