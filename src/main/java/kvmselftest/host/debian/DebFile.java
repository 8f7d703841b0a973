package kvmselftest.host.debian;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Predicate;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.ar.ArArchiveEntry;
import org.apache.commons.compress.archivers.ar.ArArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.compressors.xz.XZCompressorInputStream;
import org.apache.commons.compress.compressors.zstandard.ZstdCompressorInputStream;

/** A binary package, deb(5): an ar archive with the files in its member data.tar. */
record DebFile(Path file) {
  /**
   * Unpacks what is wanted of its files. No script of the package is run.
   *
   * @param wanted told each path relative to the root, without a leading slash
   * @throws IOException when the package is broken or a file of it would lie outside the folder
   */
  void unpack(Path folder, Predicate<String> wanted) throws IOException {
    try (ArArchiveInputStream ar =
        new ArArchiveInputStream(new BufferedInputStream(Files.newInputStream(file)))) {
      for (ArArchiveEntry member = ar.getNextEntry(); member != null; member = ar.getNextEntry()) {
        if (member.getName().startsWith("data.tar")) {
          unpackTar(decompressed(member.getName(), ar), new UnpackedTree(folder), wanted);
          return;
        }
      }
    }
    throw new IOException("no data.tar in it");
  }

  private static InputStream decompressed(String name, InputStream in) throws IOException {
    return switch (name.substring("data.tar".length())) {
      case ".xz" -> new XZCompressorInputStream(in);
      case ".gz" -> new GZIPInputStream(in);
      case ".zst" -> new ZstdCompressorInputStream(in);
      case "" -> in;
      default -> throw new IOException("compression of " + name + " not known");
    };
  }

  private static void unpackTar(InputStream in, UnpackedTree tree, Predicate<String> wanted)
      throws IOException {
    TarArchiveInputStream tar = new TarArchiveInputStream(in);
    for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
      if (wanted.test(entry.getName().replaceFirst("^(\\./|/)+", ""))) {
        tree.add(entry, tar);
      }
    }
  }
}
