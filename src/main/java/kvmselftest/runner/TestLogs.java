package kvmselftest.runner;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A file a test in the report's folder {@code tests}: what became of it, why, and what it observed
 * and printed. Called as the tests end, one at a time.
 */
final class TestLogs {
  private static final int LONGEST_NAME = 120;
  private static final Pattern NOT_PLAIN = Pattern.compile("[^A-Za-z0-9.,=+-]+");

  private final Path folder;
  private final Map<String, Integer> timesUsed = new HashMap<>();
  private boolean hasFolder;
  private Optional<String> trouble = Optional.empty();

  /**
   * @param report made if it is not there
   */
  TestLogs(Path report) {
    folder = report.resolve("tests");
  }

  void add(Outcome outcome) {
    try {
      if (!hasFolder) {
        Files.createDirectories(folder);
        hasFolder = true;
      }
      Files.writeString(folder.resolve(name(outcome) + ".log"), text(outcome));
    } catch (IOException e) {
      trouble = Optional.of("Could not write to " + folder + ": " + e);
    }
  }

  /** Why a file could not be written, if so. */
  Optional<String> trouble() {
    return trouble;
  }

  /** What every file system takes; tests of one name are told apart by a number. */
  private String name(Outcome outcome) {
    String plain = NOT_PLAIN.matcher(outcome.name().toString()).replaceAll("_");
    String shortened = plain.substring(0, Math.min(plain.length(), LONGEST_NAME));
    int times = timesUsed.merge(shortened, 1, Integer::sum);
    return times == 1 ? shortened : shortened + "-" + times;
  }

  private static String text(Outcome outcome) {
    StringBuilder text = new StringBuilder();
    text.append("test: ").append(outcome.title()).append('\n');
    text.append("result: ").append(outcome.result().label()).append('\n');
    text.append("took: ").append(outcome.took().toMillis()).append(" ms\n");
    if (!outcome.message().isEmpty()) {
      text.append(outcome.message()).append('\n');
    }
    outcome.published().lines().forEach(line -> text.append(line.stripTrailing()).append('\n'));
    return text.toString();
  }
}
