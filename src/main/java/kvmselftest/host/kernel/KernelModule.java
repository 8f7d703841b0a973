package kvmselftest.host.kernel;

import java.nio.file.Path;
import kvmselftest.host.HostException;

/**
 * A kernel module's file, as it lies in a folder of modules.
 *
 * @param name as in the file's name, with hyphens or underscores as they are there
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
}
