package kvmselftest.runner;

import java.io.FileNotFoundException;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import kvmselftest.results.ResultsJson;
import kvmselftest.results.TestResult;
import org.jspecify.annotations.Nullable;

/**
 * Where a run's text goes: at once to the user, and without colour to {@code run.log}. With {@link
 * View#ktap()} the user's stream gets KTAP and nothing else. Any thread may write; lines are never
 * mixed.
 */
public final class Console {
  private static final String ESCAPE = "\u001b[";

  private final PrintStream out;
  private final PrintStream err;
  private final View view;
  private final boolean marked;
  private @Nullable PrintStream log;
  private @Nullable PrintStream ktapLog;

  private Console(PrintStream out, PrintStream err, View view, boolean marked) {
    this.out = out;
    this.err = err;
    this.view = view;
    this.marked = marked;
  }

  /**
   * The console of a user.
   *
   * @param out what was asked for
   * @param err with KTAP, what goes wrong
   */
  public static Console of(PrintStream out, PrintStream err, View view) {
    return new Console(out, err, view, false);
  }

  /**
   * The console of a run inside the emulated host, whose lines bear a {@link LineMark}.
   *
   * @param out to the launcher outside
   */
  public static Console marked(PrintStream out, View view) {
    return new Console(out, out, view, true);
  }

  boolean verbose() {
    return view.verbose();
  }

  boolean shows(Result result) {
    return !view.ktap() && !(view.failedOnly() && !result.isBad());
  }

  synchronized void keepLogs(Path text, Path ktap) throws FileNotFoundException {
    log = open(text);
    ktapLog = open(ktap);
  }

  private static PrintStream open(Path file) throws FileNotFoundException {
    return new PrintStream(new FileOutputStream(file.toFile()), true, StandardCharsets.UTF_8);
  }

  synchronized void line(String text) {
    if (!view.ktap()) {
      print(out, text);
    }
    log(text);
  }

  /** A line about what keeps the run from being what it should. */
  synchronized void trouble(String text) {
    print(view.ktap() ? err : out, text);
    log(text);
  }

  /** A line that starts with a result's word. */
  synchronized void line(Result result, String text) {
    String word = "%-4s".formatted(result.label());
    String shown =
        (view.colour() ? ESCAPE + result.colour() + "m" + word + ESCAPE + "0m" : word)
            + "  "
            + text;
    if (marked) {
      LineMark mark = shows(result) ? LineMark.RESULT : LineMark.HIDDEN_RESULT;
      print(out, mark.character() + shown);
    } else if (shows(result)) {
      print(out, shown);
    }
    log(word + "  " + text);
  }

  /** A line about the result of a test, below its own. */
  synchronized void detail(Result result, String text) {
    if (shows(result)) {
      print(out, text);
    }
    log(text);
  }

  /** For the launcher outside, if there is one: it may have to say what became of the tests. */
  synchronized void forward(LineMark mark, TestResult test) {
    if (marked) {
      print(out, mark.character() + ResultsJson.line(test.unpublished()));
    }
  }

  /** A line of KTAP. */
  synchronized void ktap(String text) {
    if (view.ktap()) {
      print(out, marked ? LineMark.KTAP.character() + text : text);
    }
    if (ktapLog != null) {
      ktapLog.println(text);
    }
  }

  /** Closes the logs; whether all of both was written. */
  synchronized boolean closeLogs() {
    boolean textWritten = isWritten(log);
    boolean written = isWritten(ktapLog) && textWritten;
    log = null;
    ktapLog = null;
    return written;
  }

  private static boolean isWritten(@Nullable PrintStream log) {
    if (log == null) {
      return true;
    }
    boolean written = !log.checkError();
    log.close();
    return written;
  }

  private static void print(PrintStream stream, String text) {
    stream.println(text);
    stream.flush();
  }

  private void log(String text) {
    if (log != null) {
      log.println(text);
    }
  }
}
