package kvmselftest.host.bochs;

import java.nio.file.Path;
import java.util.Map;

/**
 * A Bochs, and what makes a disk that it can boot from, as unpacked from packages.
 *
 * @param binary bochs-bin
 * @param environment to be added to a process's own, for Bochs and xorriso both
 * @param xorriso makes the disk
 * @param isolinux boots a kernel from it: isolinux.bin
 * @param ldlinux what isolinux.bin needs: ldlinux.c32
 * @param version as its package says: 2.7
 */
public record BochsInstallation(
    Path binary,
    Map<String, String> environment,
    Path xorriso,
    Path isolinux,
    Path ldlinux,
    String version) {
  public BochsInstallation {
    environment = Map.copyOf(environment);
  }
}
