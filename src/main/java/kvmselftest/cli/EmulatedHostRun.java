package kvmselftest.cli;

import java.io.PrintStream;
import java.util.List;
import kvmselftest.runner.ExitStatus;

/** The emulated host of {@code kvmselftest.host}, put to this use. */
final class EmulatedHostRun implements EmulatedRun {
  @Override
  public ExitStatus run(Options options, List<String> arguments, PrintStream out) {
    out.println("error: the emulated KVM host is not there yet");
    return ExitStatus.FAILED;
  }
}
