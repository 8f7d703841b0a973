package kvmselftest.host.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import kvmselftest.host.HostException;
import kvmselftest.host.Progress;
import kvmselftest.host.cache.CacheFolder;
import kvmselftest.host.cache.FileTree;

/**
 * The parts of images in the cache folder. Each is an archive of its own, so that an edit of a test
 * costs no new Java runtime.
 */
record Parts(CacheFolder cache, Progress progress) {
  private static final String FILE = "part.cpio";

  /**
   * The part of that kind and key, made now when it is not there or damaged.
   *
   * @param kind without a hyphen
   * @param filler writes the archive to {@link #file} of the folder it is given
   */
  Archive get(String kind, String key, CacheFolder.Filler filler)
      throws HostException, IOException {
    String name = kind + "-" + key;
    Path folder = cache.root().resolve(name);
    if (Files.isDirectory(folder) && !new Archive(file(folder)).isWhole()) {
      progress.step("the cached " + kind + " part of the image is damaged and made anew");
      cache.exclusively(progress, () -> delete(folder));
    }
    cache.folder(name, progress, filler);
    return new Archive(file(folder));
  }

  static Path file(Path folder) {
    return folder.resolve(FILE);
  }

  private static boolean delete(Path folder) throws IOException {
    FileTree.delete(folder);
    return true;
  }
}
