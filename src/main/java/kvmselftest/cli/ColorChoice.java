package kvmselftest.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** When to use colour. */
enum ColorChoice {
  AUTO,
  ALWAYS,
  NEVER;

  /** Of this process, its standard output; it has no system call of its own for isatty(3). */
  private static final Path STDOUT = Path.of("/proc/self/fd/1");

  boolean on(Map<String, String> environment) {
    return switch (this) {
      case ALWAYS -> true;
      case NEVER -> false;
      case AUTO ->
          environment.getOrDefault("NO_COLOR", "").isEmpty()
              && !environment.getOrDefault("TERM", "dumb").equals("dumb")
              && isTerminal();
    };
  }

  private static boolean isTerminal() {
    try {
      String target = Files.readSymbolicLink(STDOUT).toString();
      return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty");
    } catch (IOException e) {
      return false;
    }
  }
}
