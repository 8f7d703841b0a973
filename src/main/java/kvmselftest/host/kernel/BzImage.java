package kvmselftest.host.kernel;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import kvmselftest.host.UsageException;

/**
 * The setup header of an x86-64 kernel image (Documentation/arch/x86/boot.rst).
 *
 * @param release the first word of the kernel's version string, what {@code uname -r} gives
 */
record BzImage(Path file, String release) {
  private static final int SETUP_SECTS = 0x1f1;
  private static final int SYSSIZE = 0x1f4;
  private static final int HEADER = 0x202;
  private static final int PROTOCOL = 0x206;
  private static final int KERNEL_VERSION = 0x20e;
  private static final int XLOADFLAGS = 0x236;

  /** "HdrS", little-endian. */
  private static final int MAGIC = 0x53726448;

  /** The protocol that brought xloadflags. */
  private static final int PROTOCOL_2_12 = 0x20c;

  private static final int XLF_KERNEL_64 = 1;

  /** The setup code is at most 64 sectors, and the version string lies in it. */
  private static final int SETUP_BYTES = 65 * 512;

  /**
   * Reads an image's header.
   *
   * @throws UsageException when the file is no x86-64 bzImage or is cut short
   */
  static BzImage read(Path file) throws UsageException {
    if (!Files.isRegularFile(file)) {
      String what = Files.isDirectory(file) ? "is a folder" : "does not exist";
      throw new UsageException("kernel image " + file + " " + what + "; name a bzImage or vmlinuz");
    }
    ByteBuffer setup = setup(file);
    if (setup.limit() < XLOADFLAGS + 2 || setup.getInt(HEADER) != MAGIC) {
      throw no(file, FileKind.of(setup));
    }
    if (setup.getShort(PROTOCOL) < PROTOCOL_2_12
        || (setup.getShort(XLOADFLAGS) & XLF_KERNEL_64) == 0) {
      throw no(file, "it is a kernel for 32-bit x86, or older than 3.8");
    }
    checkSize(file, setup);
    return new BzImage(file, release(file, setup));
  }

  private static ByteBuffer setup(Path file) throws UsageException {
    try (InputStream in = Files.newInputStream(file)) {
      return ByteBuffer.wrap(in.readNBytes(SETUP_BYTES)).order(ByteOrder.LITTLE_ENDIAN);
    } catch (AccessDeniedException e) {
      throw new UsageException(
          "kernel image "
              + file
              + " may only be read by others (permission denied); make a copy: sudo install -m 644 "
              + file
              + " .",
          e);
    } catch (IOException e) {
      throw new UsageException(
          "kernel image " + file + " cannot be read: " + e.getMessage() + "; name another", e);
    }
  }

  private static void checkSize(Path file, ByteBuffer setup) throws UsageException {
    int setupSectors = setup.get(SETUP_SECTS) == 0 ? 4 : Byte.toUnsignedInt(setup.get(SETUP_SECTS));
    long wanted = (setupSectors + 1) * 512L + Integer.toUnsignedLong(setup.getInt(SYSSIZE)) * 16;
    long size = file.toFile().length();
    if (size < wanted) {
      throw no(file, "it is cut short, " + size + " bytes of " + wanted);
    }
  }

  private static String release(Path file, ByteBuffer setup) throws UsageException {
    int start = Short.toUnsignedInt(setup.getShort(KERNEL_VERSION)) + 0x200;
    int end = start;
    while (end < setup.limit() && setup.get(end) > ' ') {
      end++;
    }
    if (start == 0x200 || end <= start || end == setup.limit()) {
      throw no(file, "it does not say its version");
    }
    return StandardCharsets.US_ASCII.decode(setup.slice(start, end - start)).toString();
  }

  private static UsageException no(Path file, String why) {
    return new UsageException(
        "kernel image "
            + file
            + " cannot be booted: "
            + why
            + "; name an x86-64 bzImage or vmlinuz");
  }
}
