package kvmselftest.host.image;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** A cpio archive in a file. */
record Archive(Path file) {
  /** The name of the last entry; a cut archive does not end with it. */
  private static final String TRAILER = "TRAILER!!!";

  /** Writes a tree to a new file. */
  static Archive write(ImageTree tree, Path file) throws IOException {
    try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file), 1 << 16)) {
      tree.writeTo(out);
    }
    return new Archive(file);
  }

  /** Whether it is there and has its end. */
  boolean isWhole() throws IOException {
    if (!Files.isRegularFile(file)) {
      return false;
    }
    try (RandomAccessFile archive = new RandomAccessFile(file.toFile(), "r")) {
      byte[] end = new byte[Math.toIntExact(Math.min(1024, archive.length()))];
      archive.seek(archive.length() - end.length);
      archive.readFully(end);
      return new String(end, StandardCharsets.ISO_8859_1).contains(TRAILER);
    }
  }
}
