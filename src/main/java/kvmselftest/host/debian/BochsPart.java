package kvmselftest.host.debian;

/** A package that the Intel host needs. */
public enum BochsPart {
  /** Bochs with a display for terminals, with the libraries and firmware it needs. */
  BOCHS("bochs-term", Extent.PROGRAM_WITH_LIBRARIES),
  /** What makes a disk image that isolinux boots. */
  XORRISO("xorriso", Extent.PROGRAM_WITH_LIBRARIES),
  /** The boot loader isolinux.bin. */
  ISOLINUX("isolinux", Extent.BOOT_LOADER),
  /** What isolinux.bin loads first: ldlinux.c32. */
  SYSLINUX("syslinux-common", Extent.BOOT_LOADER);

  private final String packageName;
  private final Extent extent;

  BochsPart(String packageName, Extent extent) {
    this.packageName = packageName;
    this.extent = extent;
  }

  String packageName() {
    return packageName;
  }

  Extent extent() {
    return extent;
  }
}
