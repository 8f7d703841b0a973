package kvmselftest.cli;

import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import kvmselftest.runner.ExitStatus;

/** Runs this program again inside an emulated KVM host. */
@FunctionalInterface
interface EmulatedRun {
  /** Where the program in there is to leave its report. */
  Path REPORT = Path.of("/report");

  /**
   * Blocks until the run has ended one way or the other.
   *
   * @param options which kernel, modules and QEMU, where the report goes
   * @param arguments what to call the program with in there
   * @param out where what it prints goes, as it prints it
   * @return the verdict
   */
  ExitStatus run(Options options, List<String> arguments, PrintStream out);
}
