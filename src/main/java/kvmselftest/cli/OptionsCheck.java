package kvmselftest.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import kvmselftest.host.debian.DebianKernels;
import kvmselftest.host.kernel.KernelChoice;
import org.jspecify.annotations.Nullable;

/**
 * What picocli cannot see: values out of range, options that contradict each other, absent files.
 */
final class OptionsCheck {
  /** Below this no kernel with a JVM's image boots. */
  private static final int LEAST_MEMORY_MIB = 512;

  private static final int MOST_CPUS = 64;

  private final Options options;

  OptionsCheck(Options options) {
    this.options = options;
  }

  /** The first thing that is wrong, in one line; empty if nothing is. */
  Optional<String> complaint() {
    return Stream.of(modes(), tests(), trace(), numbers(), files())
        .flatMap(Optional::stream)
        .findFirst();
  }

  private Optional<String> modes() {
    if (!options.onThisMachine) {
      return Optional.empty();
    }
    if (options.emulated) {
      return Optional.of("--native and --emulated exclude each other");
    }
    return options.ofEmulatedHost().stream()
        .findFirst()
        .map(
            name ->
                "--native and %s exclude each other: %s is of the emulated host"
                    .formatted(name, name));
  }

  private Optional<String> tests() {
    List<String> given = options.tests;
    return given.isEmpty() || !options.selection().patterns().isEmpty()
        ? Optional.empty()
        : Optional.of("--tests: the pattern is empty");
  }

  private Optional<String> trace() {
    return options.trace && options.report == null
        ? Optional.of("--trace needs --report, the folder for trace.txt and trace.jsonl")
        : Optional.empty();
  }

  private Optional<String> numbers() {
    return Stream.of(
            range("--repeat", options.repeat, 1, Integer.MAX_VALUE),
            range("--timeout", options.timeoutSeconds, 1, Integer.MAX_VALUE),
            range("--cpus", options.cpus, 1, MOST_CPUS),
            range("--memory", options.memoryMib, LEAST_MEMORY_MIB, Integer.MAX_VALUE))
        .flatMap(Optional::stream)
        .findFirst();
  }

  private static Optional<String> range(String name, @Nullable Integer value, int least, int most) {
    if (value == null || (value >= least && value <= most)) {
      return Optional.empty();
    }
    String bounds = most == Integer.MAX_VALUE ? "%d or more" : "%d to %d";
    return Optional.of(
        "%s: %d is not in range, %s".formatted(name, value, bounds.formatted(least, most)));
  }

  private Optional<String> files() {
    return Stream.of(
            kernel(options.kernelChoice()),
            folder("--modules", options.modules),
            file("--qemu", options.qemu),
            reportFolder(options.report))
        .flatMap(Optional::stream)
        .findFirst();
  }

  private static Optional<String> kernel(KernelChoice choice) {
    return switch (choice) {
      case KernelChoice.Default() -> Optional.empty();
      case KernelChoice.Image(Path path) -> file("--kernel", path);
      case KernelChoice.DebianRelease(String version) -> {
        List<String> known = DebianKernels.versions();
        yield known.contains(version)
            ? Optional.empty()
            : Optional.of(
                "--kernel: debian:%s is not one of %s"
                    .formatted(version, String.join(", ", known)));
      }
    };
  }

  private static Optional<String> file(String name, @Nullable Path path) {
    if (path == null || (Files.isReadable(path) && !Files.isDirectory(path))) {
      return Optional.empty();
    }
    return Optional.of("%s: %s".formatted(name, trouble(path, "is a folder, not a file")));
  }

  private static Optional<String> folder(String name, @Nullable Path path) {
    if (path == null || (Files.isReadable(path) && Files.isDirectory(path))) {
      return Optional.empty();
    }
    return Optional.of("%s: %s".formatted(name, trouble(path, "is not a folder")));
  }

  private static Optional<String> reportFolder(@Nullable Path path) {
    return path == null || !Files.exists(path) ? Optional.empty() : folder("--report", path);
  }

  private static String trouble(Path path, String wrongKind) {
    if (!Files.exists(path)) {
      return path + " does not exist";
    }
    return path + (Files.isReadable(path) ? " " + wrongKind : " cannot be read");
  }
}
