package kvmselftest.host.kernel;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import kvmselftest.host.HostException;
import kvmselftest.host.Progress;
import kvmselftest.host.UsageException;

/**
 * The folder that the user named. What it has is what is to be tried: anything in it that does not
 * fit is an error, never passed over.
 */
final class NamedPlace implements ModulePlace {
  private final Path path;
  private final ModuleFolder folder;
  private final Progress progress;

  private NamedPlace(Path path, ModuleFolder folder, Progress progress) {
    this.path = path;
    this.folder = folder;
    this.progress = progress;
  }

  /**
   * Looks through the folder.
   *
   * @throws HostException when none of the modules that make /dev/kvm is in it: other modules than
   *     the user's would be tried, and pass
   */
  static NamedPlace of(Path path, CpuVendor vendor, Progress progress) throws HostException {
    if (!Files.isDirectory(path)) {
      throw new UsageException("--modules " + path + " is no folder; name one with kernel modules");
    }
    ModuleFolder folder = ModuleFolder.of(path, Integer.MAX_VALUE);
    List<String> wanted = vendor.modulesOfKvm();
    if (wanted.stream().allMatch(name -> folder.find(name).isEmpty() && !folder.isBuiltIn(name))) {
      throw new UsageException(
          "--modules "
              + path
              + " has none of "
              + String.join(".ko, ", wanted)
              + ".ko, compressed or not; name the folder that has, or leave the option away");
    }
    return new NamedPlace(path, folder, progress);
  }

  @Override
  public Optional<Found> find(String module, String release) throws HostException {
    List<Path> files = folder.find(module);
    if (files.isEmpty()) {
      return Optional.empty();
    }
    List<Found> fitting = KernelModule.fitting(folder, module, release);
    if (fitting.size() != 1) {
      throw fitting.isEmpty() ? otherKernel(files.getFirst(), release) : ambiguous(module, fitting);
    }
    progress.step("module " + module + ": " + fitting.getFirst().module().file());
    return Optional.of(fitting.getFirst());
  }

  private static UsageException otherKernel(Path file, String release) throws UsageException {
    String other = KernelModule.info(file).release();
    return new UsageException(
        file
            + " is for kernel "
            + other
            + ", and the kernel to boot is "
            + release
            + "; build the module for that kernel, or name its own by --kernel");
  }

  private static UsageException ambiguous(String module, List<Found> fitting) {
    String files =
        String.join(
            " and ", fitting.stream().map(found -> found.module().file().toString()).toList());
    return new UsageException(
        "module "
            + module
            + " is there more than once: "
            + files
            + "; leave only one below --modules");
  }

  @Override
  public boolean isBuiltIn(String module) {
    return folder.isBuiltIn(module);
  }

  @Override
  public String absence() {
    return "not in " + path;
  }
}
