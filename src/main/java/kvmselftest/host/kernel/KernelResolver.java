package kvmselftest.host.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import kvmselftest.host.HostException;
import kvmselftest.host.Progress;
import kvmselftest.host.debian.Packages;

/** Gets the kernel that was chosen, with the modules that make a /dev/kvm in it. */
public final class KernelResolver {
  private final Packages packages;
  private final KvmVendor vendor;

  /**
   * Makes one.
   *
   * @param vendor whose CPU the kernel will find, and so which modules it needs
   */
  public KernelResolver(Packages packages, KvmVendor vendor) {
    this.packages = packages;
    this.vendor = vendor;
  }

  /**
   * Gets a kernel and checks that it is one, and that the modules are its own.
   *
   * @param modules a folder with modules to be used rather than the kernel's own; those it lacks
   *     are the kernel's own
   */
  public Kernel resolve(KernelChoice choice, Optional<Path> modules, Progress progress)
      throws HostException {
    List<ModulePlace> places = new ArrayList<>();
    if (modules.isPresent()) {
      places.add(NamedPlace.of(modules.get().toAbsolutePath(), vendor, progress));
    }
    BzImage image =
        switch (choice) {
          case KernelChoice.Default() -> packaged(packages.kernel(progress), places);
          case KernelChoice.DebianRelease(String version) ->
              packaged(packages.debianKernel(version, progress), places);
          case KernelChoice.Image(Path path) -> named(path.toAbsolutePath(), places, progress);
        };
    List<KernelModule> order = LoadOrder.of(image.release(), vendor, places);
    progress.step("kernel " + image.release() + ", " + describe(order));
    return new Kernel(image.file(), image.release(), order);
  }

  private static String describe(List<KernelModule> order) {
    return order.isEmpty()
        ? "KVM built in"
        : order.stream().map(KernelModule::name).collect(Collectors.joining(", ", "modules ", ""));
  }

  /** A package's kernel has its modules in the same package, or in others unpacked with it. */
  private static BzImage packaged(Path root, List<ModulePlace> places) throws HostException {
    places.add(FallbackPlace.folder(root));
    try (Stream<Path> files = Files.walk(root)) {
      Path image =
          files
              .filter(file -> String.valueOf(file.getFileName()).startsWith("vmlinuz"))
              .filter(Files::isRegularFile)
              .findFirst()
              .orElseThrow(
                  () -> new HostException("no kernel in " + root + "; delete that folder"));
      return BzImage.read(image);
    } catch (IOException e) {
      throw new HostException("cannot read " + root + ": " + e.getMessage() + "; delete it", e);
    }
  }

  private BzImage named(Path path, List<ModulePlace> places, Progress progress)
      throws HostException {
    BzImage image = BzImage.read(path);
    String release = image.release();
    places.add(FallbackPlace.folder(Path.of("/lib/modules", release)));
    places.add(FallbackPlace.of("beside the image", () -> BesideImage.folders(path, release)));
    places.add(
        FallbackPlace.of(
            "in a package",
            () ->
                List.of(ModuleFolder.of(packages.kernelOf(release, progress), Integer.MAX_VALUE))));
    return image;
  }
}
