package kvmselftest.kvm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What sysfs says of the KVM that runs, which may be a part of the kernel. Where there is no sysfs,
 * all is taken to be as it is by default.
 */
public final class KvmModule {
  private static final Path FOLDER = VendorModule.MODULES.resolve("kvm");

  private KvmModule() {}

  /** Whether it is in the kernel's image, and so was there before the TSC's rate was refined. */
  public static boolean isBuiltIn() {
    return Files.exists(FOLDER) && !Files.exists(FOLDER.resolve("initstate"));
  }

  /** Whether it takes what is written to an MSR that there is not (kvm.ignore_msrs). */
  public static boolean ignoresMsrs() {
    return parameter("ignore_msrs", "N").equals("Y");
  }

  /**
   * How far from the host's rate a TSC's rate may be that is taken for it, ppm
   * (kvm.tsc_tolerance_ppm).
   */
  public static long tscTolerancePpm() {
    return Long.parseLong(parameter("tsc_tolerance_ppm", "250"));
  }

  private static String parameter(String name, String byDefault) {
    try {
      return Files.readString(FOLDER.resolve("parameters").resolve(name)).strip();
    } catch (IOException e) {
      return byDefault;
    }
  }
}
