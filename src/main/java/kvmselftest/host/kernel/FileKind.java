package kvmselftest.host.kernel;

import java.nio.ByteBuffer;

/** Says what a file is that was taken for a kernel image. */
final class FileKind {
  private static final int ELF = 0x464c457f;
  private static final int GZIP = 0x8b1f;
  private static final int XZ = 0x587a37fd;

  /** "ARM" and 0x64 at 0x38 (Documentation/arch/arm64/booting.rst). */
  private static final int ARM64 = 0x644d5241;

  private static final int ARM64_AT = 0x38;

  /** An EFI image that unpacks itself, as arm64 and others have it (zboot-header.S). */
  private static final int ZBOOT = 0x676d697a;

  private FileKind() {}

  /** In words that follow a colon. */
  static String of(ByteBuffer start) {
    if (start.limit() < ARM64_AT + 4) {
      return start.limit() == 0 ? "it is empty" : "it is only " + start.limit() + " bytes long";
    }
    if (start.getInt(0) == ELF) {
      return "it is an ELF file (the build's vmlinux?), not its arch/x86/boot/bzImage";
    }
    if (start.getInt(ARM64_AT) == ARM64 || start.getInt(4) == ZBOOT) {
      return "it is a kernel for another architecture (arm64 or alike)";
    }
    if (Short.toUnsignedInt(start.getShort(0)) == GZIP || start.getInt(0) == XZ) {
      return "it is a compressed file";
    }
    return "it has no x86 boot header";
  }
}
