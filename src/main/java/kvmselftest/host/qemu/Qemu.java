package kvmselftest.host.qemu;

import java.io.IOException;
import java.nio.file.Path;
import kvmselftest.host.Accelerator;
import kvmselftest.host.HostException;
import kvmselftest.host.Machine;
import kvmselftest.host.debian.QemuInstallation;
import kvmselftest.host.emulator.Emulator;
import kvmselftest.host.emulator.RunningEmulator;
import kvmselftest.host.emulator.SerialFiles;
import kvmselftest.host.kernel.CpuVendor;
import kvmselftest.host.process.ChildProcess;

/** QEMU: its TCG emulates AMD's SVM with nested paging; under KVM the CPU is the host's own. */
public record Qemu(QemuInstallation installation, Accelerator accelerator) implements Emulator {
  @Override
  public String name() {
    return "QEMU " + installation.version() + ", " + accelerator;
  }

  @Override
  public CpuVendor vendor() {
    return accelerator.vendor();
  }

  @Override
  public boolean parallelCpus() {
    return accelerator.isKvm() || installation.parallelCpus();
  }

  @Override
  public RunningEmulator start(
      Machine machine, Path kernel, Path initramfs, SerialFiles files, Path folder)
      throws HostException {
    Path errors = folder.resolve("qemu.log");
    ProcessBuilder builder =
        new ProcessBuilder(
                new QemuCommand(installation, accelerator, machine, kernel, initramfs, files)
                    .words())
            .redirectInput(Path.of("/dev/null").toFile())
            .redirectError(errors.toFile());
    builder.environment().putAll(installation.environment());
    try {
      ChildProcess child = ChildProcess.start(builder);
      return new RunningEmulator("QEMU", child, child.process().getInputStream(), errors);
    } catch (IOException e) {
      throw new HostException(
          "cannot start QEMU "
              + installation.binary()
              + ": "
              + e.getMessage()
              + "; check it with --qemu",
          e);
    }
  }
}
