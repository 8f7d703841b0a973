package kvmselftest.host.kernel;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import kvmselftest.host.UsageException;
import org.apache.commons.compress.compressors.xz.XZCompressorInputStream;
import org.apache.commons.compress.compressors.zstandard.ZstdCompressorInputStream;

/** Reads a module's file whatever its compression. */
final class ModuleFile {
  private ModuleFile() {}

  static byte[] read(Path file) throws UsageException {
    byte[] bytes;
    try (InputStream in = decompressed(file)) {
      bytes = in.readAllBytes();
    } catch (IOException e) {
      throw new UsageException(
          "cannot read kernel module " + file + ": " + e.getMessage() + "; replace the file", e);
    }
    if (!isElf(bytes)) {
      throw new UsageException(file + " is no kernel module (not an ELF file); replace the file");
    }
    return bytes;
  }

  private static InputStream decompressed(Path file) throws IOException {
    InputStream raw = new BufferedInputStream(Files.newInputStream(file));
    String name = file.toString();
    try {
      if (name.endsWith(".xz")) {
        return new XZCompressorInputStream(raw);
      }
      if (name.endsWith(".gz")) {
        return new GZIPInputStream(raw);
      }
      return name.endsWith(".zst") ? new ZstdCompressorInputStream(raw) : raw;
    } catch (IOException e) {
      raw.close();
      throw e;
    }
  }

  private static boolean isElf(byte[] bytes) {
    return bytes.length > 4
        && bytes[0] == 0x7f
        && bytes[1] == 'E'
        && bytes[2] == 'L'
        && bytes[3] == 'F';
  }
}
