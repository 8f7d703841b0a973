package kvmselftest.runner;

import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.stream.Stream;

/**
 * The folder that {@code --report} names. Its file {@code verdict} holds {@code no verdict} from
 * the start until there is one, so that a run that is cut off is not taken for one that passed.
 *
 * @param path the folder; exists
 */
public record ReportFolder(Path path) {
  private static final String NONE_YET = "no verdict";

  /**
   * Makes the folder, or, when there are files in it already, a new one of the current time (UTC)
   * in it: no report is ever overwritten.
   *
   * @throws IOException if it cannot be made or written to
   */
  public static ReportFolder create(Path wanted) throws IOException {
    Files.createDirectories(wanted);
    ReportFolder folder = new ReportFolder(isEmpty(wanted) ? wanted : newFolderIn(wanted));
    folder.writeVerdict(NONE_YET);
    return folder;
  }

  /**
   * Replaces the verdict, whole or not at all.
   *
   * @param verdict one line
   * @throws IOException if it cannot be written; the former one then still stands
   */
  public void writeVerdict(String verdict) throws IOException {
    Path next = path.resolve("verdict.new");
    Files.writeString(next, verdict + "\n");
    Files.move(next, path.resolve("verdict"), ATOMIC_MOVE);
  }

  /** Where the XML of a round goes: the folder itself, or one of its own if there are several. */
  Path ofRound(int round, int rounds) {
    return rounds == 1 ? path : path.resolve("round-" + round);
  }

  private static boolean isEmpty(Path folder) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.findAny().isEmpty();
    }
  }

  private static Path newFolderIn(Path parent) throws IOException {
    LocalDateTime now = LocalDateTime.now(ZoneOffset.UTC).truncatedTo(ChronoUnit.SECONDS);
    String name = now.format(DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HHmmss'Z'"));
    Path folder = parent.resolve(name);
    for (int i = 2; Files.exists(folder); i++) {
      folder = parent.resolve(name + "-" + i);
    }
    return Files.createDirectory(folder);
  }
}
