package kvmselftest.host.kernel;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import kvmselftest.host.HostException;
import kvmselftest.host.Progress;
import kvmselftest.host.UsageException;
import kvmselftest.host.cache.CacheFolder;
import kvmselftest.host.debian.DebianKernels;
import kvmselftest.host.debian.KernelDebs;
import kvmselftest.host.debian.Packages;

/**
 * Gets the kernel that was chosen, with the modules that make a /dev/kvm in it.
 *
 * @param packages where kernels and modules are fetched from
 * @param cache where packages of the user's are unpacked
 * @param vendor of the CPU that the kernel will see
 */
public record KernelResolver(Packages packages, CacheFolder cache, CpuVendor vendor) {
  /** For the CPU that QEMU emulates. */
  public KernelResolver(Packages packages, CacheFolder cache) {
    this(packages, cache, CpuVendor.AMD);
  }

  /**
   * Gets a kernel and checks that it is one, and that the modules are its own.
   *
   * @param modules a folder with modules to be used rather than the kernel's own; those it lacks
   *     are the kernel's own
   * @throws UsageException when what the user named cannot be used
   */
  public Kernel resolve(KernelChoice choice, Optional<Path> modules, Progress progress)
      throws HostException {
    List<ModulePlace> places = new ArrayList<>();
    if (modules.isPresent()) {
      places.add(NamedPlace.of(modules.get().toAbsolutePath(), vendor, progress));
    }
    Candidate candidate = candidate(choice, progress);
    places.addAll(candidate.places());
    BzImage image = candidate.image();
    List<KernelModule> order = LoadOrder.of(vendor, image.release(), places);
    progress.step("kernel " + image.release() + ", " + describe(order));
    return new Kernel(image.file(), image.release(), order);
  }

  private static String describe(List<KernelModule> order) {
    return order.isEmpty()
        ? "KVM built in"
        : order.stream().map(KernelModule::name).collect(Collectors.joining(", ", "modules ", ""));
  }

  private Candidate candidate(KernelChoice choice, Progress progress) throws HostException {
    return switch (choice) {
      case KernelChoice.Default() -> UnpackedKernel.candidate(packages.kernel(progress));
      case KernelChoice.DebianRelease(String version) -> debian(version, progress);
      case KernelChoice.Running() -> RunningKernel.ofMachine().candidate();
      case KernelChoice.Folder(Path path) ->
          NamedFolder.candidate(path.toAbsolutePath().normalize());
      case KernelChoice.Image(Path path) -> image(path.toAbsolutePath().normalize(), progress);
      case KernelChoice.Debs(List<Path> paths) ->
          UnpackedKernel.ofPackages(paths, new KernelDebs(paths).unpacked(cache, progress));
    };
  }

  /** A suite moves on to the next kernel: another one than asked for is no answer. */
  private Candidate debian(String version, Progress progress) throws HostException {
    Candidate found = UnpackedKernel.candidate(packages.debianKernel(version, progress));
    String release = found.image().release();
    if (!version.equals(DebianKernels.LATEST) && !release.startsWith(version + ".")) {
      throw new UsageException(
          "Debian has no kernel "
              + version
              + " any more where it was, but "
              + release
              + "; choose debian:latest, or another");
    }
    return found;
  }

  private Candidate image(Path path, Progress progress) throws HostException {
    BzImage image = BzImage.read(path);
    Optional<Path> tree = BuildTree.of(path);
    if (tree.isPresent()) {
      return BuildTree.candidate(tree.get());
    }
    String release = image.release();
    return new Candidate(
        image,
        List.of(
            FallbackPlace.folder(Path.of("/lib/modules", release)),
            FallbackPlace.of("beside the image", () -> BesideImage.folders(path, release)),
            FallbackPlace.of("in a package", () -> List.of(packaged(release, progress)))));
  }

  private ModuleFolder packaged(String release, Progress progress) throws HostException {
    return ModuleFolder.of(packages.kernelOf(release, progress), Integer.MAX_VALUE);
  }
}
