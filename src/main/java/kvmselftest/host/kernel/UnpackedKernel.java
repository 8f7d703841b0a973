package kvmselftest.host.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import kvmselftest.host.HostException;
import kvmselftest.host.UsageException;

/** Finds a kernel and its modules in a folder that a package was unpacked in. */
final class UnpackedKernel {
  /** Each may hold a folder for a release, with the modules and with some the image, too. */
  private static final List<String> MODULES = List.of("lib/modules", "usr/lib/modules");

  private UnpackedKernel() {}

  /** Whether there is something that looks like a kernel image. */
  static boolean isOne(Path root) throws HostException {
    return !images(root).isEmpty();
  }

  /**
   * The one kernel in it.
   *
   * @throws UsageException when there is none, more than one, or one for another machine
   */
  static Candidate candidate(Path root) throws HostException {
    return candidate(root, root.toString());
  }

  private static Candidate candidate(Path root, String name) throws HostException {
    Map<String, BzImage> byRelease = new LinkedHashMap<>();
    for (Path file : images(root)) {
      BzImage image = BzImage.read(file);
      byRelease.putIfAbsent(image.release(), image);
    }
    if (byRelease.size() != 1) {
      throw new UsageException(
          byRelease.isEmpty()
              ? "no kernel in " + name + ": no boot/vmlinuz-*, no lib/modules/*/vmlinuz"
              : "several kernels in "
                  + name
                  + ": "
                  + String.join(", ", byRelease.keySet())
                  + "; name the image of one");
    }
    BzImage image = byRelease.values().iterator().next();
    return new Candidate(image, List.of(modules(root, name, image.release())));
  }

  /**
   * The one kernel in packages of the user's.
   *
   * @param files the packages, to be named when they do not fit together
   */
  static Candidate ofPackages(List<Path> files, Path root) throws HostException {
    String names = files.stream().map(Path::toString).collect(Collectors.joining(" and "));
    if (!isOne(root)) {
      throw new UsageException(
          "no kernel in "
              + names
              + "; name the package that has boot/vmlinuz-* (linux-image-* or, from 7.2 on,"
              + " linux-binary-* and linux-modules-*)");
    }
    return candidate(root, names);
  }

  private static FallbackPlace modules(Path root, String name, String release) {
    return FallbackPlace.of(
        "in " + name,
        () -> {
          List<ModuleFolder> found = new ArrayList<>();
          for (String modules : MODULES) {
            found.add(ModuleFolder.of(root.resolve(modules).resolve(release), Integer.MAX_VALUE));
            found.add(ModuleFolder.of(root.resolve(modules), Integer.MAX_VALUE));
          }
          return found;
        });
  }

  private static List<Path> images(Path root) throws HostException {
    List<Path> images = new ArrayList<>(in(root));
    images.addAll(in(root.resolve("boot")));
    for (String modules : MODULES) {
      for (Path folder : list(root.resolve(modules))) {
        images.addAll(in(folder));
      }
    }
    return images;
  }

  private static List<Path> in(Path folder) throws HostException {
    return list(folder).stream()
        .filter(file -> file.getFileName().toString().startsWith("vmlinuz"))
        .filter(Files::isRegularFile)
        .toList();
  }

  private static List<Path> list(Path folder) throws HostException {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files.sorted().toList();
    } catch (IOException e) {
      throw new UsageException("cannot look into " + folder + ": " + e.getMessage(), e);
    }
  }
}
