package kvmselftest.host.bochs;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import kvmselftest.host.HostException;
import kvmselftest.host.Progress;
import kvmselftest.host.debian.BochsPart;
import kvmselftest.host.debian.Packages;

/** Gets Bochs, and what makes a disk for it, from the machine's distribution's packages. */
public record BochsFinder(Packages packages) {
  private static final String LIBRARIES = "usr/lib/x86_64-linux-gnu";

  /** How the folder of the unpacked package begins. */
  private static final Pattern VERSION = Pattern.compile("^bochs-term_(\\d+(\\.\\d+)*)");

  /** Fetched now if it is not there yet. */
  public BochsInstallation find(Progress progress) throws HostException {
    Path bochs = packages.bochs(BochsPart.BOCHS, progress);
    Path xorriso = packages.bochs(BochsPart.XORRISO, progress);
    return new BochsInstallation(
        existing(bochs, "usr/bin/bochs-bin"),
        environment(bochs, xorriso),
        existing(xorriso, "usr/bin/xorriso"),
        existing(packages.bochs(BochsPart.ISOLINUX, progress), "usr/lib/ISOLINUX/isolinux.bin"),
        existing(
            packages.bochs(BochsPart.SYSLINUX, progress),
            "usr/lib/syslinux/modules/bios/ldlinux.c32"),
        version(bochs));
  }

  /** What lies elsewhere than it was built for must be told where its things are. */
  private static Map<String, String> environment(Path bochs, Path xorriso) {
    return Map.of(
        "LD_LIBRARY_PATH",
        String.join(
            ":",
            bochs.resolve(LIBRARIES).toString(),
            bochs.resolve("lib/x86_64-linux-gnu").toString(),
            xorriso.resolve(LIBRARIES).toString(),
            xorriso.resolve("lib/x86_64-linux-gnu").toString()),
        "LTDL_LIBRARY_PATH",
        bochs.resolve(LIBRARIES + "/bochs/plugins").toString(),
        "BXSHARE",
        bochs.resolve("usr/share/bochs").toString());
  }

  private static Path existing(Path folder, String name) throws HostException {
    Path file = folder.resolve(name);
    if (!Files.isRegularFile(file)) {
      throw new HostException("there is no " + name + " in " + folder + "; delete that folder");
    }
    return file;
  }

  private static String version(Path folder) {
    Matcher version = VERSION.matcher(String.valueOf(folder.getFileName()));
    return version.find() ? version.group(1) : "";
  }
}
