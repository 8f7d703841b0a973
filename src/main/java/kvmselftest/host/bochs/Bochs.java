package kvmselftest.host.bochs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import kvmselftest.host.HostException;
import kvmselftest.host.Machine;
import kvmselftest.host.emulator.Emulator;
import kvmselftest.host.emulator.RunningEmulator;
import kvmselftest.host.emulator.SerialFiles;
import kvmselftest.host.kernel.CpuVendor;
import kvmselftest.host.process.ChildProcess;

/** Bochs, which emulates Intel's VMX, with or without TSC scaling. */
public record Bochs(BochsInstallation installation, BochsModel model) implements Emulator {
  /**
   * As QEMU's, and: the rate of the TSC, as the CPU models claim another than they have; no cursor,
   * as its blinking fills the terminal that nobody reads until Bochs waits for it; no mitigations,
   * which cost instructions; no XSAVE, whose size Bochs 2.7 reports such that Linux 7 stops.
   */
  private static final String KERNEL_ARGUMENTS =
      "console=ttyS0,115200 tsc=reliable clocksource=tsc tsc_early_khz="
          + BochsConfiguration.TSC_HZ / 1000
          + " vt.global_cursor_default=0 mitigations=off nokaslr noxsave panic=-1 oops=panic"
          + " loglevel=4";

  /** Bochs's debugger, which Debian's has, waits for this word before it starts. */
  private static final String CONTINUE = "c\n";

  @Override
  public String name() {
    return "Bochs " + installation.version();
  }

  @Override
  public CpuVendor vendor() {
    return CpuVendor.INTEL;
  }

  @Override
  public boolean parallelCpus() {
    return false;
  }

  @Override
  public RunningEmulator start(
      Machine machine, Path kernel, Path initramfs, SerialFiles files, Path folder)
      throws HostException {
    try {
      Path own = Files.createDirectory(folder.resolve("bochs"));
      new BootDisk(installation)
          .make(kernel, initramfs, arguments(machine), own.resolve(BochsConfiguration.DISK));
      Files.delete(initramfs); // it is on the disk now
      Files.writeString(own.resolve("bochsrc"), new BochsConfiguration(model, machine).text());
      Files.writeString(own.resolve("commands"), CONTINUE);
      Files.createSymbolicLink(own.resolve(BochsConfiguration.CONSOLE), files.console());
      Files.createSymbolicLink(own.resolve(BochsConfiguration.RESULTS), files.results());
      return start(own);
    } catch (IOException e) {
      throw new HostException(
          "cannot start Bochs: " + e.getMessage() + "; make room in " + folder + " and try again",
          e);
    }
  }

  private static String arguments(Machine machine) {
    return (KERNEL_ARGUMENTS + " " + machine.kernelArguments()).strip();
  }

  /** Its display needs a terminal, which script gives it. */
  private RunningEmulator start(Path folder) throws HostException {
    ProcessBuilder builder =
        new ProcessBuilder(
                "script",
                "-q",
                "-e",
                "-c",
                "stty rows 25 cols 80; exec \"$BOCHS\" -q -f bochsrc -rc commands",
                "/dev/null")
            .directory(folder.toFile())
            .redirectInput(Path.of("/dev/null").toFile())
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("terminal").toFile());
    builder.environment().putAll(installation.environment());
    builder.environment().put("BOCHS", installation.binary().toString());
    builder.environment().put("TERM", "xterm");
    try {
      ChildProcess child = ChildProcess.start(builder);
      FollowedFile programs =
          new FollowedFile(folder.resolve(BochsConfiguration.PROGRAMS), child.process());
      return new RunningEmulator("Bochs", child, programs, folder.resolve(BochsConfiguration.LOG));
    } catch (IOException e) {
      throw new HostException(
          "cannot start Bochs, which needs the program script for a terminal: "
              + e.getMessage()
              + "; type: apt-get install bsdutils",
          e);
    }
  }
}
