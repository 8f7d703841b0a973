package kvmselftest.host.debian;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.ar.ArArchiveEntry;
import org.apache.commons.compress.archivers.ar.ArArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.apache.commons.compress.compressors.xz.XZCompressorOutputStream;
import org.apache.commons.compress.compressors.zstandard.ZstdCompressorOutputStream;

/** Makes small packages to unpack. */
public final class DebBuilder {
  private final String compression;
  private final ByteArrayOutputStream data = new ByteArrayOutputStream();
  private final TarArchiveOutputStream tar;

  public DebBuilder(String compression) throws IOException {
    this.compression = compression;
    OutputStream out =
        switch (compression) {
          case ".gz" -> new GZIPOutputStream(data);
          case ".xz" -> new XZCompressorOutputStream(data);
          case ".zst" -> new ZstdCompressorOutputStream(data);
          default -> data;
        };
    tar = new TarArchiveOutputStream(out);
  }

  DebBuilder folder(String name) throws IOException {
    return add(new TarArchiveEntry(name), "");
  }

  DebBuilder file(String name, String content) throws IOException {
    return file(name, content.getBytes(StandardCharsets.UTF_8));
  }

  public DebBuilder file(String name, byte[] content) throws IOException {
    return add(new TarArchiveEntry(name), content);
  }

  DebBuilder program(String name, String content) throws IOException {
    TarArchiveEntry entry = new TarArchiveEntry(name);
    entry.setMode(0100755);
    return add(entry, content);
  }

  DebBuilder link(String name, String to) throws IOException {
    TarArchiveEntry entry = new TarArchiveEntry(name, TarConstants.LF_SYMLINK);
    entry.setLinkName(to);
    return add(entry, "");
  }

  DebBuilder hardLink(String name, String to) throws IOException {
    TarArchiveEntry entry = new TarArchiveEntry(name, TarConstants.LF_LINK);
    entry.setLinkName(to);
    return add(entry, "");
  }

  private DebBuilder add(TarArchiveEntry entry, String content) throws IOException {
    return add(entry, content.getBytes(StandardCharsets.UTF_8));
  }

  private DebBuilder add(TarArchiveEntry entry, byte[] bytes) throws IOException {
    entry.setSize(bytes.length);
    tar.putArchiveEntry(entry);
    tar.write(bytes);
    tar.closeArchiveEntry();
    return this;
  }

  DebFile write(Path file) throws IOException {
    return new DebFile(writePackage(file));
  }

  public Path writePackage(Path file) throws IOException {
    tar.close();
    try (ArArchiveOutputStream ar = new ArArchiveOutputStream(Files.newOutputStream(file))) {
      member(ar, "debian-binary", "2.0\n".getBytes(StandardCharsets.UTF_8));
      member(ar, "control.tar", new byte[0]);
      member(ar, "data.tar" + compression, data.toByteArray());
    }
    return file;
  }

  private static void member(ArArchiveOutputStream ar, String name, byte[] content)
      throws IOException {
    ar.putArchiveEntry(new ArArchiveEntry(name, content.length));
    ar.write(content);
    ar.closeArchiveEntry();
  }
}
