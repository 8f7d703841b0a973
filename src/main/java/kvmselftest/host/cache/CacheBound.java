package kvmselftest.host.cache;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * How large a cache folder may grow. What was used longest ago goes first: each folder's own time
 * is that of its last use.
 *
 * @param bytes the bound
 */
record CacheBound(long bytes) {
  /** Some fifteen kernels of Debian's, with what belongs to them. */
  static final CacheBound STANDARD = new CacheBound(2_000_000_000L);

  /** Small, of running processes, or of the seeded bugs, which take hours to build. */
  private static final Set<String> LEFT_ALONE = Set.of("latest", "runs", "partial", "seeded-bugs");

  /** Holds a folder for each list of packages. */
  private static final String APT = "apt";

  /** A folder that is deleted as a whole. */
  private record Entry(Path folder, FileTime used, long size) {
    static Entry of(Path folder) throws IOException {
      return new Entry(folder, Files.getLastModifiedTime(folder), FileTree.size(folder));
    }
  }

  /**
   * Deletes what goes beyond the bound. Nobody may use the folder meanwhile.
   *
   * @return what was deleted
   */
  List<Path> keep(Path root) throws IOException {
    List<Entry> entries = new ArrayList<>();
    for (Path folder : folders(root)) {
      entries.add(Entry.of(folder));
    }
    entries.sort(Comparator.comparing(Entry::used));
    long size = entries.stream().mapToLong(Entry::size).sum();
    List<Path> deleted = new ArrayList<>();
    for (Entry oldest : entries) {
      if (size <= bytes) {
        break;
      }
      FileTree.delete(oldest.folder());
      deleted.add(oldest.folder());
      size -= oldest.size();
    }
    return deleted;
  }

  private static List<Path> folders(Path root) throws IOException {
    List<Path> folders = new ArrayList<>();
    for (Path folder : in(root)) {
      String name = folder.getFileName().toString();
      if (name.equals(APT)) {
        folders.addAll(in(folder));
      } else if (!LEFT_ALONE.contains(name)) {
        folders.add(folder);
      }
    }
    return folders;
  }

  private static List<Path> in(Path root) throws IOException {
    try (Stream<Path> files = Files.list(root)) {
      return files.filter(file -> Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS)).toList();
    }
  }
}
