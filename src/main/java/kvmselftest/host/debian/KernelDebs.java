package kvmselftest.host.debian;

import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.List;
import kvmselftest.host.HostException;
import kvmselftest.host.Progress;
import kvmselftest.host.UsageException;
import kvmselftest.host.cache.CacheFolder;
import kvmselftest.host.cache.Fingerprint;

/**
 * Kernel packages that the user has as files, unpacked in the cache folder; equal ones once. No
 * script of theirs is run.
 *
 * @param files .deb files
 */
public record KernelDebs(List<Path> files) {
  /** An unpacked kernel of Debian's with all its modules, and some more. */
  private static final long ROOM = 600_000_000;

  public KernelDebs {
    files = List.copyOf(files);
  }

  /**
   * The folder with the files of all of them.
   *
   * @throws UsageException when one is no package or cut short
   */
  public Path unpacked(CacheFolder cache, Progress progress) throws HostException {
    return cache.folder("debs-" + key(), progress, folder -> unpack(cache, folder));
  }

  private String key() throws UsageException {
    Fingerprint key = new Fingerprint();
    for (Path file : files) {
      try {
        key.addContent(file);
      } catch (IOException e) {
        throw new UsageException("cannot read " + file + ": " + e.getMessage(), e);
      }
    }
    return key.hex();
  }

  private void unpack(CacheFolder cache, Path folder) throws IOException, HostException {
    cache.needRoom(ROOM);
    for (Path file : files) {
      try {
        new DebFile(file).unpack(folder, Extent.KERNEL::keeps);
      } catch (FileSystemException | FileNotFoundException e) {
        throw e;
      } catch (IOException e) {
        throw new UsageException(
            "cannot unpack "
                + file
                + ": "
                + reason(e)
                + "; it is no package (.deb) or is cut short: get it again",
            e);
      }
    }
  }

  private static String reason(IOException e) {
    if (e instanceof EOFException) {
      return "it ends too soon";
    }
    return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
  }
}
