package kvmselftest.cli;

import java.io.IOException;
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

  /** Told why there is no verdict. */
  @FunctionalInterface
  interface NoVerdict {
    void because(String why) throws IOException;
  }

  private final ForwardedOutput output;
  private final NoVerdict noVerdict;
  private boolean over;

  WatchedRun(ForwardedOutput output, NoVerdict noVerdict) {
    this.output = output;
    this.noVerdict = noVerdict;
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

  private synchronized void end() {
    over = true;
  }

  /** Nothing has begun, of which there were a summary to give. */
  private synchronized void refuse(String why) throws IOException {
    over = true;
    output.told().println("error: " + why);
    noVerdict.because(why);
  }

  /** After Ctrl-C, that QEMU was killed is no news. */
  private synchronized void fail(String why) throws IOException {
    if (!over) {
      over = true;
      output.told().println("error: " + why);
      output.cutOff(why);
      noVerdict.because(why);
    }
  }

  /** Also runs when the JVM ends by itself. */
  private synchronized void interrupted() {
    if (!over) {
      over = true;
      output.cutOff("no verdict: interrupted");
    }
  }
}
