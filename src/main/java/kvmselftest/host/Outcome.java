package kvmselftest.host;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import kvmselftest.host.emulator.ResultsArchive;
import kvmselftest.host.emulator.RunningEmulator;

/**
 * Whole results.
 *
 * @param ends how the commands ended
 * @param report what they left
 */
record Outcome(List<CommandEnd> ends, Path report) {
  /** What busybox's time writes. */
  private static final Pattern SIGNAL = Pattern.compile("^Command terminated by signal (\\d+)");

  private static final Pattern EXIT = Pattern.compile("(?m)^exit (\\d+) peak (\\d+)$");

  /** Takes the results apart, or says why there are none. */
  static Outcome unpack(Evidence evidence, RunningEmulator emulator, Path work, int commands)
      throws NoVerdictException, HostException, IOException {
    Path folder = work.resolve("unpacked");
    try {
      new ResultsArchive(evidence.results()).unpack(folder);
    } catch (ResultsArchive.CutException e) {
      throw evidence.cut(emulator, e.getMessage());
    }
    var notRun = evidence.notRun();
    if (notRun.isPresent()) {
      throw notRun.get();
    }
    return new Outcome(ends(folder.resolve("status"), commands), folder.resolve("report"));
  }

  /** Whether a signal ended any of them. */
  boolean anyKilled() {
    return ends.stream().anyMatch(CommandEnd.Killed.class::isInstance);
  }

  private static List<CommandEnd> ends(Path folder, int commands)
      throws NoVerdictException, IOException {
    List<CommandEnd> ends = new ArrayList<>();
    for (int i = 0; i < commands; i++) {
      Path file = folder.resolve(String.valueOf(i));
      ends.add(end(Files.isRegularFile(file) ? Files.readString(file) : ""));
    }
    return ends;
  }

  private static CommandEnd end(String status) throws NoVerdictException {
    Matcher signal = SIGNAL.matcher(status);
    if (signal.find()) {
      return new CommandEnd.Killed(Integer.parseInt(signal.group(1)));
    }
    Matcher exit = EXIT.matcher(status);
    if (exit.find()) {
      return new CommandEnd.Exited(Integer.parseInt(exit.group(1)), Long.parseLong(exit.group(2)));
    }
    throw new NoVerdictException("a program's exit status is missing from the results");
  }
}
