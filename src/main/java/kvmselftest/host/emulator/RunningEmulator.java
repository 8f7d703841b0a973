package kvmselftest.host.emulator;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import kvmselftest.host.process.ChildProcess;

/** An emulator at work. Killed by {@link #close}, and when this JVM ends. */
public final class RunningEmulator implements AutoCloseable {
  /** What a wait for the end came to. In all but the first it still runs. */
  public enum Wait {
    ENDED,
    /** The bound is over. */
    LATE,
    /** There has been no sign of life for too long. */
    SILENT
  }

  private static final long POLL_MILLIS = 20;

  private final String name;
  private final ChildProcess child;
  private final InputStream programs;
  private final Path errors;
  private Thread output = new Thread();

  /**
   * One whose process has been started.
   *
   * @param name for messages
   * @param programs what the programs in the emulated host write; ends with the process
   * @param errors the file that the emulator's own complaints go to
   */
  public RunningEmulator(String name, ChildProcess child, InputStream programs, Path errors) {
    this.name = name;
    this.child = child;
    this.programs = programs;
    this.errors = errors;
  }

  /** What is running, for messages. */
  public String name() {
    return name;
  }

  /**
   * Waits until the emulated host is up.
   *
   * @return false if it is not, but still runs, when the bound is over
   */
  public boolean awaitUp(ResultsFile results, Duration bound)
      throws IOException, InterruptedException {
    long end = System.nanoTime() + bound.toNanos();
    while (child.process().isAlive() && !results.isUp()) {
      if (System.nanoTime() > end) {
        return false;
      }
      Thread.sleep(POLL_MILLIS);
    }
    return true;
  }

  /** From now on passes the programs' output on, as it comes. Until then it waits. */
  public void passOutputTo(PrintStream out) {
    output = Thread.ofVirtual().start(() -> copy(programs, out));
  }

  /**
   * Waits for its end, and until all its output has been passed on.
   *
   * <p>Silence is counted in looks at the results, one a second, and not by the clock, which may
   * leap when this machine was asleep.
   */
  public Wait awaitEnd(ResultsFile results, Duration bound, Duration silence)
      throws IOException, InterruptedException {
    long end = System.nanoTime() + bound.toNanos();
    long size = results.size();
    long silent = 0;
    while (!child.process().waitFor(1, TimeUnit.SECONDS)) {
      silent = results.size() == size ? silent + 1 : 0;
      size = results.size();
      if (System.nanoTime() > end) {
        return Wait.LATE;
      }
      if (silent >= silence.toSeconds()) {
        return Wait.SILENT;
      }
    }
    output.join(Duration.ofSeconds(5));
    return Wait.ENDED;
  }

  /** Its exit status, 128 and the number of the signal when one killed it. It must have ended. */
  public int exitStatus() {
    return child.process().exitValue();
  }

  /** What the emulator itself said last; empty if nothing. */
  public String complaint() {
    try {
      return Files.readString(errors).lines().reduce("", (a, b) -> b).strip();
    } catch (IOException e) {
      return "";
    }
  }

  /** Kills it if it still runs. */
  @Override
  public void close() {
    child.close();
  }

  /** In pieces as they come: a line that is not ended yet is shown, too. */
  private static void copy(InputStream in, PrintStream out) {
    byte[] piece = new byte[4096];
    try (in) {
      for (int size = in.read(piece); size >= 0; size = in.read(piece)) {
        out.write(piece, 0, size);
        out.flush();
      }
    } catch (IOException e) {
      // Closed under it, because the emulator was killed.
    }
  }
}
