package kvmselftest.host.bochs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import kvmselftest.host.HostException;
import kvmselftest.host.cache.FileTree;
import kvmselftest.host.process.Tool;

/** A disk with a boot loader, a kernel and an initramfs: Bochs boots disks, not kernels. */
record BootDisk(BochsInstallation installation) {
  private static final Duration BOUND = Duration.ofMinutes(5);

  /**
   * Makes it.
   *
   * @param arguments the kernel's command line
   * @param disk the file to make
   */
  void make(Path kernel, Path initramfs, String arguments, Path disk) throws HostException {
    Path tree = disk.resolveSibling("disk");
    try {
      Path boot = Files.createDirectories(tree.resolve("isolinux"));
      Files.copy(installation.isolinux(), boot.resolve("isolinux.bin"));
      Files.copy(installation.ldlinux(), boot.resolve("ldlinux.c32"));
      Files.copy(kernel, boot.resolve("vmlinuz"));
      Files.createLink(boot.resolve("initrd"), initramfs);
      Files.writeString(boot.resolve("isolinux.cfg"), menu(arguments));
      write(tree, disk);
      FileTree.delete(tree);
    } catch (IOException e) {
      throw new HostException(
          "cannot make the disk to boot from: " + e + "; make room in " + disk.getParent(), e);
    }
  }

  /** The first line lets the boot loader's own words out by the console, too. */
  private static String menu(String arguments) {
    return """
    SERIAL 0 115200
    DEFAULT linux
    PROMPT 0
    LABEL linux
      KERNEL vmlinuz
      INITRD initrd
      APPEND %s
    """
        .formatted(arguments);
  }

  private void write(Path tree, Path disk) throws HostException {
    List<String> words =
        List.of(
            installation.xorriso().toString(),
            "-as",
            "mkisofs",
            "-quiet",
            "-o",
            disk.toString(),
            "-b",
            "isolinux/isolinux.bin",
            "-c",
            "isolinux/boot.cat",
            "-no-emul-boot",
            "-boot-load-size",
            "4",
            "-boot-info-table",
            tree.toString());
    Tool.Result result = new Tool(words, tree, BOUND, installation.environment()).run();
    if (result.status() != 0) {
      throw new HostException("xorriso makes no disk to boot from: " + result.lastLine());
    }
  }
}
