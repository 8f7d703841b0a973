package kvmselftest.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import kvmselftest.runner.ExitStatus;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** README.md and {@code --help} tell of the same options and exit statuses. */
class ReadmeTest {
  /**
   * An option as it stands in front of its description: its short name, its name with its value.
   */
  private static final Pattern IN_HELP =
      Pattern.compile("(?m)^ {2,6}(-\\w, )?(--[a-z-]+\\S*( AFTER)?)");

  private static final Pattern STATUS_IN_HELP = Pattern.compile("(?m)^ +(\\d+) {3}\\S");
  private static final Pattern CODE = Pattern.compile("`([^`]+)`");

  private static String readme;
  private static String help;

  @BeforeAll
  static void read() throws IOException {
    readme = Files.readString(Path.of(System.getProperty("kvmselftest.basedir", "."), "README.md"));
    help = new CommandLine(new Options()).getUsageMessage(CommandLine.Help.Ansi.OFF);
  }

  @Test
  void tellsOfTheOptionsOfHelp() {
    Stream<String> told =
        cells("| option | meaning |")
            .flatMap(cell -> CODE.matcher(cell).results())
            .map(x -> x.group(1));
    Stream<String> helped =
        IN_HELP
            .matcher(after("\nOptions:\n", help))
            .results()
            .flatMap(option -> Stream.of(option.group(1), option.group(2)))
            .filter(name -> name != null)
            .map(name -> name.replace(", ", "").replace('=', ' '));

    assertEquals(sorted(helped), sorted(told));
  }

  @Test
  void tellsOfTheExitStatusesOfHelp() {
    List<String> all =
        Arrays.stream(ExitStatus.values()).map(status -> String.valueOf(status.code())).toList();

    assertEquals(all, cells("| exit status | meaning |").toList());
    assertEquals(
        all,
        STATUS_IN_HELP
            .matcher(after("\nExit status:\n", help))
            .results()
            .map(status -> status.group(1))
            .toList());
  }

  @Test
  void tellsWhichOptionsImplyTheEmulatedHost() {
    String sentence =
        readme
            .lines()
            .filter(line -> line.endsWith(" imply `--emulated`."))
            .findFirst()
            .orElseThrow();
    Stream<String> helped =
        Arrays.stream(after("\nOptions:\n", help).split("\n {6}(?=--)"))
            .filter(option -> option.replaceAll("\\s+", " ").contains("(implies --emulated)"))
            .map(option -> option.replaceFirst("(?s)[ =].*", ""));

    assertEquals(
        sorted(helped),
        sorted(
            CODE.matcher(sentence)
                .results()
                .map(name -> name.group(1))
                .filter(name -> !name.equals("--emulated"))));
  }

  /** The first cells of the rows of a table in README.md. */
  private static Stream<String> cells(String heading) {
    return after("\n" + heading + "\n", readme)
        .lines()
        .skip(1)
        .takeWhile(line -> line.startsWith("|"))
        .map(line -> line.split("\\|", 3)[1].strip());
  }

  private static String after(String begin, String text) {
    return text.substring(text.indexOf(begin) + begin.length());
  }

  private static List<String> sorted(Stream<String> texts) {
    return texts.sorted().toList();
  }
}
