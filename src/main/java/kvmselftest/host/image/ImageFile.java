package kvmselftest.host.image;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.commons.compress.archivers.cpio.CpioConstants;

/** One entry of an image. */
sealed interface ImageFile {
  /** Type and permissions, as in stat. */
  long mode();

  /** Bytes that {@link #writeTo} writes. */
  long size() throws IOException;

  void writeTo(OutputStream out) throws IOException;

  /** A file of this machine, executable there if it is here. */
  static ImageFile of(Path source) {
    return new Copy(source, Files.isExecutable(source));
  }

  /** A text of ours. */
  static ImageFile of(String text) {
    return new Bytes(text.getBytes(StandardCharsets.UTF_8), CpioConstants.C_ISREG | 0644);
  }

  static ImageFile of(byte[] bytes) {
    return new Bytes(bytes.clone(), CpioConstants.C_ISREG | 0644);
  }

  static ImageFile script(byte[] bytes) {
    return new Bytes(bytes.clone(), CpioConstants.C_ISREG | 0755);
  }

  static ImageFile linkTo(String target) {
    return new Bytes(target.getBytes(StandardCharsets.UTF_8), CpioConstants.C_ISLNK | 0777);
  }

  /** A folder. */
  record Folder() implements ImageFile {
    @Override
    public long mode() {
      return CpioConstants.C_ISDIR | 0755;
    }

    @Override
    public long size() {
      return 0;
    }

    @Override
    public void writeTo(OutputStream out) {}
  }

  /** A file of this machine, read when the archive is written. */
  record Copy(Path source, boolean executable) implements ImageFile {
    @Override
    public long mode() {
      return CpioConstants.C_ISREG | (executable ? 0755 : 0644);
    }

    @Override
    public long size() throws IOException {
      return Files.size(source);
    }

    @Override
    public void writeTo(OutputStream out) throws IOException {
      Files.copy(source, out);
    }
  }

  /** A short file, or where a link leads. */
  final class Bytes implements ImageFile {
    private final byte[] bytes;
    private final long mode;

    private Bytes(byte[] bytes, long mode) {
      this.bytes = bytes;
      this.mode = mode;
    }

    @Override
    public long mode() {
      return mode;
    }

    @Override
    public long size() {
      return bytes.length;
    }

    @Override
    public void writeTo(OutputStream out) throws IOException {
      out.write(bytes);
    }
  }
}
