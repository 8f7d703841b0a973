package kvmselftest.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import kvmselftest.host.debian.DebianKernels;
import kvmselftest.host.kernel.CpuVendor;
import kvmselftest.host.kernel.KernelChoice;
import org.jspecify.annotations.Nullable;

/**
 * What picocli cannot see: values out of range, options that contradict each other, absent files.
 */
final class OptionsCheck {
  /** With less there is no room for the image and a JVM with any to spare. */
  private static final int LEAST_MEMORY_MIB = 512;

  private static final int MOST_CPUS = 64;

  /** Of the 2,048 bytes that x86 has for it (COMMAND_LINE_SIZE), some are this program's own. */
  private static final int MOST_APPENDED = 1_900;

  private final Options options;

  OptionsCheck(Options options) {
    this.options = options;
  }

  /** The first thing that is wrong, in one line; empty if nothing is. */
  Optional<String> complaint() {
    return Stream.of(compare(), matrix(), modes(), tests(), append(), trace(), numbers(), files())
        .flatMap(Optional::stream)
        .findFirst();
  }

  /** A comparison runs nothing. */
  private Optional<String> compare() {
    if (options.compare == null) {
      return Optional.empty();
    }
    return Stream.of(
            options.onThisMachine ? "--native" : "",
            options.emulated ? "--emulated" : "",
            options.list ? "--list" : "",
            options.report == null ? "" : "--report",
            options.tests.isEmpty() ? "" : "--tests")
        .filter(name -> !name.isEmpty())
        .findFirst()
        .or(() -> options.ofEmulatedHost().stream().findFirst())
        .map(name -> "--compare and %s exclude each other: --compare runs nothing".formatted(name));
  }

  private Optional<String> matrix() {
    if (options.matrix == null) {
      return Optional.empty();
    }
    if (options.kernel != null) {
      return Optional.of("--matrix and --kernel exclude each other: name all kernels in --matrix");
    }
    if (options.ktap) {
      return Optional.of("--matrix and --ktap exclude each other: --matrix prints a table");
    }
    if (options.kernels().stream().anyMatch(String::isBlank)) {
      return Optional.of("--matrix: a kernel's name is empty");
    }
    return options.kernels().stream()
        .filter(kernel -> Collections.frequency(options.kernels(), kernel) > 1)
        .map(kernel -> "--matrix: %s is named twice".formatted(kernel))
        .findFirst()
        .or(
            () ->
                options.kernels().stream()
                    .map(options::withKernel)
                    .flatMap(one -> kernel(one.kernelChoice()).stream())
                    .map(complaint -> complaint.replaceFirst("^--kernel", "--matrix"))
                    .findFirst());
  }

  private Optional<String> modes() {
    if (options.qemu != null && options.host().vendor() != CpuVendor.AMD) {
      return Optional.of(
          "--qemu and --host %s exclude each other: that host is Bochs".formatted(options.host()));
    }
    if (options.chosenHost != null && options.accel() == AccelChoice.KVM) {
      return Optional.of("--host and --accel kvm exclude each other: --host is all emulated");
    }
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

  /** A line that the kernel would cut, or take for its own end of options. */
  private Optional<String> append() {
    String given = String.join(" ", options.append);
    if (!options.append.isEmpty() && given.isBlank()) {
      return Optional.of("--append: there is nothing in it");
    }
    if (given.chars().anyMatch(c -> c < ' ')) {
      return Optional.of("--append: a kernel command line is one line");
    }
    return given.length() <= MOST_APPENDED
        ? Optional.empty()
        : Optional.of(
            "--append: %d characters are more than the kernel takes, %d"
                .formatted(given.length(), MOST_APPENDED));
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
      case KernelChoice.Default(), KernelChoice.Running() -> Optional.empty();
      case KernelChoice.Image(Path path) -> file("--kernel", path);
      case KernelChoice.Folder(Path path) -> folder("--kernel", path);
      case KernelChoice.Debs(List<Path> paths) ->
          paths.stream().flatMap(path -> file("--kernel", path).stream()).findFirst();
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
