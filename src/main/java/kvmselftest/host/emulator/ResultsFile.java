package kvmselftest.host.emulator;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What the init has sent: words, one a line, up to {@link #ARCHIVE}, then a gzip'ed tar. */
public record ResultsFile(Path file) {
  /** The line behind which the archive begins. */
  private static final String ARCHIVE = "results";

  private static final String UP = "up";
  private static final String LATE = "late";

  /** Whether the modules are loaded and the commands about to run. */
  public boolean isUp() throws IOException {
    return words().contains(UP);
  }

  /** Whether the host has turned itself off because the commands took longer than they may. */
  public boolean isLate() throws IOException {
    return words().contains(LATE);
  }

  /** In bytes. It grows while the host is alive, if by no more than the word that says so. */
  long size() throws IOException {
    return Files.exists(file) ? Files.size(file) : 0;
  }

  /** The rest of the first line that begins with a word. */
  public Optional<String> word(String first) throws IOException {
    return words().stream()
        .filter(line -> line.startsWith(first + " "))
        .map(line -> line.substring(first.length() + 1))
        .findFirst();
  }

  /**
   * The archive, from its first byte on; empty when there is none, cut when it was cut.
   *
   * @throws IOException if the file cannot be read
   */
  InputStream archive() throws IOException {
    InputStream in = new BufferedInputStream(Files.newInputStream(file));
    skipWords(in);
    return in;
  }

  private static void skipWords(InputStream in) throws IOException {
    for (String line = line(in); line != null && !line.equals(ARCHIVE); ) {
      line = line(in);
    }
  }

  private List<String> words() throws IOException {
    List<String> words = new ArrayList<>();
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file))) {
      for (String line = line(in); line != null && !line.equals(ARCHIVE); line = line(in)) {
        words.add(line);
      }
    } catch (NoSuchFileException e) {
      // QEMU has not made it yet.
    }
    return words;
  }

  /** The next line without its end; null when there is no whole one. */
  private static @Nullable String line(InputStream in) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int next = in.read(); next >= 0; next = in.read()) {
      if (next == '\n') {
        return line.toString(StandardCharsets.UTF_8);
      }
      line.write(next);
    }
    return null;
  }
}
