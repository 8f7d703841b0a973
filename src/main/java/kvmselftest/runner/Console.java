package kvmselftest.runner;

import java.io.FileNotFoundException;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Where a run's text goes: at once to the user, and without colour to {@code run.log}. Any thread
 * may write; lines are never mixed.
 */
public final class Console {
  private static final String ESCAPE = "\u001b[";

  private final PrintStream out;
  private final boolean colour;
  private final boolean verbose;
  private @Nullable PrintStream log;

  /**
   * @param out the user's stream
   * @param colour whether it shows a terminal's colours
   * @param verbose whether to show what the tests observed
   */
  public Console(PrintStream out, boolean colour, boolean verbose) {
    this.out = out;
    this.colour = colour;
    this.verbose = verbose;
  }

  boolean verbose() {
    return verbose;
  }

  synchronized void keepLog(Path file) throws FileNotFoundException {
    log = new PrintStream(new FileOutputStream(file.toFile()), true, StandardCharsets.UTF_8);
  }

  synchronized void line(String text) {
    out.println(text);
    out.flush();
    log(text);
  }

  /** A line that starts with a result's word. */
  synchronized void line(Result result, String text) {
    String word = "%-4s".formatted(result.label());
    out.println(
        (colour ? ESCAPE + result.colour() + "m" + word + ESCAPE + "0m" : word) + "  " + text);
    out.flush();
    log(word + "  " + text);
  }

  /** Closes the log; whether all of it was written. */
  synchronized boolean closeLog() {
    if (log == null) {
      return true;
    }
    boolean written = !log.checkError();
    log.close();
    log = null;
    return written;
  }

  private void log(String text) {
    if (log != null) {
      log.println(text);
    }
  }
}
