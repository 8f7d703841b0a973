package kvmselftest.host.emulator;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import kvmselftest.host.HostException;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.compressors.gzip.GzipCompressorInputStream;
import org.jspecify.annotations.Nullable;

/** The archive that the init sends at the end. */
public record ResultsArchive(ResultsFile results) {
  /** The last entry. */
  private static final String VERDICT = "verdict";

  /** The archive is not there or not whole. */
  public static final class CutException extends Exception {
    private static final long serialVersionUID = 1L;

    CutException(String message) {
      super(message);
    }

    @Override
    public String getMessage() {
      return String.valueOf(super.getMessage());
    }
  }

  /**
   * Unpacks it: a folder {@code report}, a folder {@code status} with a file for each command, and
   * the verdict.
   *
   * @throws CutException if it is not whole; some of it may be in the folder then
   * @throws HostException if the folder cannot be written
   */
  public void unpack(Path folder) throws CutException, HostException {
    String last = "";
    try (TarArchiveInputStream tar = open()) {
      for (TarArchiveEntry entry = next(tar); entry != null; entry = next(tar)) {
        last = entry.getName();
        write(entry, tar, folder);
      }
    } catch (IOException e) {
      throw new CutException("the results are cut short or garbled (" + e.getMessage() + ")");
    }
    if (!last.equals(VERDICT)) {
      throw new CutException("the results are cut short");
    }
  }

  private TarArchiveInputStream open() throws IOException {
    return new TarArchiveInputStream(new GzipCompressorInputStream(results.archive()));
  }

  private static @Nullable TarArchiveEntry next(TarArchiveInputStream tar) throws IOException {
    return tar.getNextEntry();
  }

  private static void write(TarArchiveEntry entry, InputStream content, Path folder)
      throws HostException, IOException {
    Path target = entry.resolveIn(folder);
    byte[] bytes = entry.isFile() ? content.readAllBytes() : new byte[0];
    try {
      if (entry.isDirectory()) {
        Files.createDirectories(target);
      } else if (entry.isFile()) {
        Files.createDirectories(target.resolveSibling("."));
        Files.write(target, bytes);
      }
    } catch (IOException e) {
      throw new HostException(
          "cannot write the results to " + target + ": " + e.getMessage() + "; make room there", e);
    }
  }
}
