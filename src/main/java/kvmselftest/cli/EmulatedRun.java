package kvmselftest.cli;

import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import kvmselftest.runner.ExitStatus;
import kvmselftest.runner.ReportFolder;
import org.jspecify.annotations.Nullable;

/** Runs this program again inside an emulated KVM host. */
@FunctionalInterface
interface EmulatedRun {
  /** Where the program in there is to leave its report. */
  Path REPORT = Path.of("/report");

  /**
   * Blocks until the run has ended one way or the other.
   *
   * @param options which kernel, modules and QEMU
   * @param arguments what to call the program with in there
   * @param report where the report goes, or null
   * @param out where what it prints goes, as it prints it: KTAP, if that was asked for
   * @param err with KTAP, where all else goes
   * @return the verdict
   */
  ExitStatus run(
      Options options,
      List<String> arguments,
      @Nullable ReportFolder report,
      PrintStream out,
      PrintStream err);
}
