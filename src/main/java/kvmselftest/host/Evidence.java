package kvmselftest.host;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import kvmselftest.host.emulator.ConsoleLog;
import kvmselftest.host.emulator.ResultsFile;
import kvmselftest.host.emulator.RunningEmulator;
import kvmselftest.host.emulator.SerialFiles;

/**
 * What there is to tell by why a run came to no verdict.
 *
 * @param console the kernel's words
 * @param results the init's
 */
record Evidence(HostRun run, ConsoleLog console, ResultsFile results) {
  /** A disk with less room than this has cut what was written to it. */
  private static final long FULL_BYTES = 64 * 1024;

  /** The console's log is part of the report, if there is one. */
  static Evidence in(HostRun run, Path work, Report report) {
    return new Evidence(
        run, new ConsoleLog(report.consoleLog(work)), new ResultsFile(work.resolve("results")));
  }

  SerialFiles files() {
    return new SerialFiles(console.file(), results.file());
  }

  NoVerdictException notUp() {
    return new NoVerdictException(
        linux()
            + " was not up after "
            + run.bounds().boot().toSeconds()
            + " s; try an idle machine, or another kernel");
  }

  NoVerdictException notEnded() {
    return new NoVerdictException(
        "the emulated host was still at work after "
            + run.bounds().run().toSeconds()
            + " s and was ended; see what was running");
  }

  NoVerdictException silent() {
    return new NoVerdictException(
        "the emulated host gave no sign of life for "
            + run.bounds().silence().toSeconds()
            + " s and was ended: its kernel or "
            + run.emulator().name()
            + " stands still; see what was running, and try again");
  }

  /** Why the commands did not run, though results came. */
  Optional<NoVerdictException> notRun() throws IOException {
    Optional<String> module = results.word("module");
    if (module.isPresent()) {
      return Optional.of(
          new NoVerdictException(
              linux()
                  + " does not take the module "
                  + module.get()
                  + "; it must be built for this kernel"));
    }
    return results
        .word("missing")
        .map(
            device ->
                new NoVerdictException(
                    linux()
                        + " has no "
                        + device
                        + "; it needs KVM with "
                        + run.emulator().vendor().module()
                        + ", built in or as modules"));
  }

  /** Why no results came, or not all. */
  NoVerdictException cut(RunningEmulator emulator, String how) throws IOException {
    if (console.panicked()) {
      return new NoVerdictException(
          linux()
              + " panicked: "
              + console.trouble().orElse("no reason given")
              + "; see its last lines above");
    }
    if (results.isLate()) {
      return notEnded();
    }
    if (emulator.exitStatus() != 0) {
      return new NoVerdictException(emulator.name() + " died: " + ending(emulator));
    }
    if (isFull(results.file())) {
      return new NoVerdictException(how + " by a full disk; make room in " + disk());
    }
    return results.isUp()
        ? new NoVerdictException(how + ", though " + emulator.name() + " ended well; try again")
        : new NoVerdictException(
            linux() + " turned itself off before it was up; see its last lines above");
  }

  private static String ending(RunningEmulator emulator) {
    int status = emulator.exitStatus();
    String end = status > 128 ? "killed by signal " + (status - 128) : "exit status " + status;
    return emulator.complaint().isEmpty() ? end : end + ": " + emulator.complaint();
  }

  private String linux() {
    return "Linux " + run.kernel().release();
  }

  private Path disk() {
    return results.file().resolveSibling(".").normalize();
  }

  private static boolean isFull(Path file) throws IOException {
    return Files.exists(file) && Files.getFileStore(file).getUsableSpace() < FULL_BYTES;
  }
}
