package kvmselftest.host.image;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.cpio.CpioArchiveEntry;
import org.apache.commons.compress.archivers.cpio.CpioArchiveOutputStream;
import org.apache.commons.compress.archivers.cpio.CpioConstants;

/**
 * A tree of files, and the cpio archive that the kernel makes its first root file system of
 * (Documentation/driver-api/early-userspace/buffer-format.rst). Equal trees give equal bytes: the
 * order is by name, times are {@link #TIME}, all belongs to root.
 */
final class ImageTree {
  /** The time of every file in an image, in seconds since 1970: 2026-01-01. */
  static final long TIME = 1_767_225_600L;

  /** Archives are concatenated; the kernel wants each to begin at a multiple of 4. */
  private static final int BLOCK = 512;

  private final SortedMap<String, ImageFile> files = new TreeMap<>();

  /** A folder and those above it. Paths are without a slash at the start. */
  ImageTree folder(String path) {
    int slash = path.lastIndexOf('/');
    if (slash > 0) {
      folder(path.substring(0, slash));
    }
    files.putIfAbsent(path, new ImageFile.Folder());
    return this;
  }

  /** A file, or whatever else is not a folder, and the folders above it. */
  ImageTree put(String path, ImageFile file) {
    int slash = path.lastIndexOf('/');
    if (slash > 0) {
      folder(path.substring(0, slash));
    }
    files.put(path, file);
    return this;
  }

  /** All files below a folder, links as what they point to. */
  ImageTree putAll(String path, Path folder) throws IOException {
    try (Stream<Path> below = Files.walk(folder)) {
      for (Path file : (Iterable<Path>) below.filter(Files::isRegularFile)::iterator) {
        put(path + "/" + folder.relativize(file), ImageFile.of(file));
      }
    }
    return this;
  }

  /** Leaves out a file, or a folder with all that is in it. */
  ImageTree remove(String path) {
    files.keySet().removeIf(name -> name.equals(path) || name.startsWith(path + "/"));
    return this;
  }

  /** Writes a whole archive; the stream stays open. */
  void writeTo(OutputStream out) throws IOException {
    CpioArchiveOutputStream archive =
        new CpioArchiveOutputStream(out, CpioConstants.FORMAT_NEW, BLOCK);
    for (var file : files.entrySet()) {
      CpioArchiveEntry entry = new CpioArchiveEntry(CpioConstants.FORMAT_NEW, file.getKey());
      entry.setMode(file.getValue().mode());
      entry.setSize(file.getValue().size());
      entry.setTime(TIME);
      archive.putArchiveEntry(entry);
      file.getValue().writeTo(archive);
      archive.closeArchiveEntry();
    }
    archive.finish();
  }
}
