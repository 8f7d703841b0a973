package kvmselftest.cli;

import java.io.IOException;
import java.util.Optional;
import kvmselftest.host.HostException;
import kvmselftest.host.UsageException;
import kvmselftest.runner.ExitStatus;

/**
 * A run in the emulated host that says how far it got when it does not get to its end: when it has
 * no verdict, or when this JVM is told to end (Ctrl-C).
 */
final class WatchedRun {
  /** The run itself. */
  @FunctionalInterface
  interface Body {
    ExitStatus run() throws HostException;
  }

  /** What there is to write at the end, whichever it is; called once, by one thread at a time. */
  @FunctionalInterface
  interface End {
    /**
     * Called when all is over.
     *
     * @param noVerdict why there is none; empty if there is one
     */
    void of(Optional<String> noVerdict) throws IOException;
  }

  private static final String INTERRUPTED = "no verdict: interrupted";

  private final ForwardedOutput output;
  private final End end;
  private boolean over;

  WatchedRun(ForwardedOutput output, End end) {
    this.output = output;
    this.end = end;
  }

  ExitStatus run(Body body) throws IOException {
    Runtime.getRuntime().addShutdownHook(new Thread(this::interrupted, "summary-on-interrupt"));
    try {
      ExitStatus status = body.run();
      end();
      return status;
    } catch (UsageException e) {
      refuse(String.valueOf(e.getMessage()));
      return ExitStatus.USAGE;
    } catch (HostException e) {
      fail(String.valueOf(e.getMessage()));
      return ExitStatus.FAILED;
    }
  }

  private synchronized void end() throws IOException {
    if (!over) {
      over = true;
      end.of(Optional.empty());
    }
  }

  /** Nothing has begun, of which there were a summary to give. */
  private synchronized void refuse(String why) throws IOException {
    over = true;
    output.told().println("error: " + why);
    end.of(Optional.of(why));
  }

  /** After Ctrl-C, that QEMU was killed is no news. */
  private synchronized void fail(String why) throws IOException {
    if (!over) {
      over = true;
      output.told().println("error: " + why);
      output.cutOff(why);
      end.of(Optional.of(why));
    }
  }

  /** Also runs when the JVM ends by itself. */
  private synchronized void interrupted() {
    if (over) {
      return;
    }
    over = true;
    output.cutOff(INTERRUPTED);
    try {
      end.of(Optional.of(INTERRUPTED));
    } catch (IOException e) {
      output.told().println("error: cannot write the report: " + e);
    }
  }
}
