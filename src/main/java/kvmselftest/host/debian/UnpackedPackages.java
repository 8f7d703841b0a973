package kvmselftest.host.debian;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import kvmselftest.host.HostException;
import kvmselftest.host.Progress;
import kvmselftest.host.cache.CacheFolder;

/** Packages of one list of archives, fetched and unpacked in the cache folder. */
final class UnpackedPackages {
  /**
   * Package lists (20 to 25 MB), packages (40 MB) and what is in them (110 MB), with some to spare.
   */
  private static final long ROOM = 200_000_000;

  private final String list;
  private final PrivateApt apt;
  private final CacheFolder cache;

  UnpackedPackages(String list, PrivateApt apt, CacheFolder cache) {
    this.list = list;
    this.apt = apt;
    this.cache = cache;
  }

  /**
   * The folder with the package's files: the one that served last or, after a while, the newest.
   */
  Path get(String name, Extent extent, Progress progress) throws HostException {
    LatestFolder latest = new LatestFolder(cache, name + "@" + list);
    Optional<Path> recent = latest.get(Duration.ofDays(14));
    if (recent.isPresent()) {
      return cache.used(recent.get());
    }
    return cache.exclusively(progress, () -> refreshed(name, extent, latest, progress));
  }

  private Path refreshed(String name, Extent extent, LatestFolder latest, Progress progress)
      throws IOException, HostException {
    Optional<Path> byAnother = latest.get(Duration.ofDays(14));
    if (byAnother.isPresent()) {
      return byAnother.get();
    }
    try {
      Path newest = newest(name, extent, progress);
      latest.set(newest);
      return newest;
    } catch (HostException e) {
      Path old = latest.get(Duration.ofDays(Integer.MAX_VALUE)).orElseThrow(() -> e);
      progress.step("no newer " + name + " (" + e.getMessage() + "): using " + old.getFileName());
      return old;
    }
  }

  private Path newest(String name, Extent extent, Progress progress)
      throws IOException, HostException {
    progress.step("looking for " + name + " in " + list);
    cache.needRoom(ROOM);
    apt.update();
    List<DebPackage> packages = extent.choose(name, apt);
    if (packages.isEmpty()) {
      throw new HostException(
          list + " has no package " + name + "; name a file or folder of your own instead");
    }
    return cache.folder(
        folderName(name, packages),
        progress,
        folder -> fetch(name, packages, extent, folder, progress));
  }

  /** Tells the packages by a hash; no colon in it, which would split LD_LIBRARY_PATH. */
  private static String folderName(String name, List<DebPackage> packages) {
    String all =
        packages.stream().map(DebPackage::pinned).sorted().collect(Collectors.joining(" "));
    String hash =
        UUID.nameUUIDFromBytes(all.getBytes(StandardCharsets.UTF_8)).toString().substring(0, 8);
    return (name + "_" + version(name, packages) + "_" + hash).replaceAll("[^A-Za-z0-9.+~_-]", "-");
  }

  /** Without the epoch, which tells no one anything. */
  private static String version(String name, List<DebPackage> packages) {
    return packages.stream()
        .filter(one -> one.name().equals(name))
        .map(one -> one.version().replaceFirst("^\\d+:", ""))
        .findFirst()
        .orElse("");
  }

  private void fetch(
      String name, List<DebPackage> packages, Extent extent, Path folder, Progress progress)
      throws IOException, HostException {
    String what = name + " " + version(name, packages) + " (" + count(packages);
    progress.step("fetching " + what + ")");
    long start = System.nanoTime();
    Path download = Files.createDirectory(folder.resolve("download"));
    apt.download(packages, download);
    long bytes = 0;
    for (Path deb : files(download)) {
      bytes += Files.size(deb);
      unpack(deb, folder, extent);
      Files.delete(deb);
    }
    Files.delete(download);
    progress.step(
        "fetched %s, %d MB, in %.1f s)"
            .formatted(what, (bytes + 500_000) / 1_000_000, (System.nanoTime() - start) / 1e9));
  }

  private static String count(List<DebPackage> packages) {
    return packages.size() == 1 ? "1 package" : packages.size() + " packages";
  }

  private static void unpack(Path deb, Path folder, Extent extent)
      throws IOException, HostException {
    try {
      new DebFile(deb).unpack(folder, extent::keeps);
    } catch (FileSystemException e) {
      throw e;
    } catch (IOException e) {
      throw new HostException(
          "cannot unpack " + deb.getFileName() + ": " + e.getMessage() + "; run it again", e);
    }
  }

  private static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return new ArrayList<>(files.sorted().toList());
    }
  }
}
