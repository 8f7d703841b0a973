package kvmselftest.host.kernel;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import kvmselftest.host.HostException;
import kvmselftest.host.UsageException;

/**
 * A kernel module's file, as it lies in a folder of modules.
 *
 * @param name as other modules call it
 * @param file a .ko, .ko.xz, .ko.gz or .ko.zst
 */
public record KernelModule(String name, Path file) {
  /**
   * The module as the kernel loads it: an ELF object, not compressed.
   *
   * @throws HostException when the file cannot be read or is no ELF object
   */
  public byte[] read() throws HostException {
    return ModuleFile.read(file);
  }

  /** A folder's files of that module that were built for the release. */
  static List<ModulePlace.Found> fitting(ModuleFolder folder, String module, String release)
      throws HostException {
    List<ModulePlace.Found> fitting = new ArrayList<>();
    for (Path file : folder.find(module)) {
      Modinfo info = info(file);
      if (info.release().equals(release)) {
        fitting.add(new ModulePlace.Found(new KernelModule(module, file), info));
      }
    }
    return fitting;
  }

  static Modinfo info(Path file) throws UsageException {
    return Modinfo.of(ModuleFile.read(file))
        .orElseThrow(
            () -> new UsageException(file + " is no whole x86-64 kernel module; replace the file"));
  }
}
