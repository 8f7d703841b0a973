package kvmselftest.selftests;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What sysfs says of the KVM that runs, which may be a part of the kernel. */
final class KvmModule {
  private static final Path FOLDER = Path.of("/sys/module/kvm");

  private KvmModule() {}

  /** Whether it is in the kernel's image, and so was there before the TSC's rate was refined. */
  static boolean isBuiltIn() {
    return Files.exists(FOLDER) && !Files.exists(FOLDER.resolve("initstate"));
  }

  /** Whether it takes what is written to an MSR that there is not (kvm.ignore_msrs). */
  static boolean ignoresMsrs() {
    try {
      return Files.readString(FOLDER.resolve("parameters/ignore_msrs")).strip().equals("Y");
    } catch (IOException e) {
      return false; // no sysfs: as it is by default
    }
  }
}
