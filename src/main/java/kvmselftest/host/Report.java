package kvmselftest.host;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The report folder, if there is one. */
record Report(@Nullable Path folder) {
  private static final String VERDICT = "verdict";

  /** Says in it that there is no verdict yet, if nobody has. */
  static Report open(@Nullable Path folder) throws HostException {
    if (folder != null && Files.notExists(folder.resolve(VERDICT))) {
      try {
        Files.writeString(folder.resolve(VERDICT), "no verdict\n");
      } catch (IOException e) {
        throw unwritable(folder, e);
      }
    }
    return new Report(folder);
  }

  /** Where the kernel's console is kept. */
  Path consoleLog(Path work) {
    return (folder == null ? work : folder).toAbsolutePath().resolve("console.log");
  }

  /**
   * Copies what the commands left, their verdict last, and not at all when one of them was killed:
   * then it is not known whether it had still something to say.
   */
  void take(Outcome outcome) throws HostException {
    if (folder == null) {
      return;
    }
    try {
      for (Path file : filesOf(outcome.report())) {
        copy(outcome.report(), file);
      }
      if (!outcome.anyKilled() && Files.exists(outcome.report().resolve(VERDICT))) {
        copy(outcome.report(), outcome.report().resolve(VERDICT));
      }
    } catch (IOException e) {
      throw unwritable(folder, e);
    }
  }

  private static List<Path> filesOf(Path report) throws IOException {
    Path verdict = report.resolve(VERDICT);
    try (Stream<Path> files = Files.walk(report)) {
      return files.filter(Files::isRegularFile).filter(file -> !file.equals(verdict)).toList();
    }
  }

  private void copy(Path root, Path file) throws IOException {
    Path target = Objects.requireNonNull(folder).resolve(root.relativize(file).toString());
    Files.createDirectories(target.resolveSibling("."));
    Files.copy(file, target, StandardCopyOption.REPLACE_EXISTING);
  }

  private static HostException unwritable(Path folder, IOException e) {
    return new HostException(
        "no verdict: cannot write the report folder "
            + folder
            + ": "
            + e
            + "; make room or access there",
        e);
  }
}
