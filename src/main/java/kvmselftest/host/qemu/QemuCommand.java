package kvmselftest.host.qemu;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import kvmselftest.host.Accelerator;
import kvmselftest.host.Machine;
import kvmselftest.host.debian.QemuInstallation;
import kvmselftest.host.emulator.SerialFiles;

/**
 * QEMU's command line. The guest has no network, no disk and no display; three serial ports lead
 * out of it: the console to a file, the programs' output to QEMU's standard output, the results to
 * a file.
 */
record QemuCommand(
    QemuInstallation qemu,
    Accelerator accelerator,
    Machine machine,
    Path kernel,
    Path initramfs,
    SerialFiles files) {
  /**
   * With these the clocksource is the TSC, which emulated CPUs have in step; a busy machine, on
   * which ticks are late, does not make the kernel take its timer for broken; a panic or an oops
   * ends the machine at once; and only errors are on the console, each letter of which costs an
   * exit. What a user appends comes after these.
   */
  private static final String KERNEL_ARGUMENTS =
      "console=ttyS0 tsc=reliable clocksource=tsc no_timer_check panic=-1 oops=panic loglevel=4";

  List<String> words() {
    List<String> words = new ArrayList<>(List.of(qemu.binary().toString()));
    qemu.firmware().forEach(folder -> words.addAll(List.of("-L", folder.toString())));
    words.addAll(List.of("-nodefaults", "-no-user-config", "-no-reboot"));
    words.addAll(List.of("-display", "none", "-nic", "none"));
    words.addAll(List.of("-machine", "q35", "-cpu", cpu(), "-accel", accel()));
    words.addAll(List.of("-smp", String.valueOf(machine.cpus())));
    words.addAll(List.of("-m", String.valueOf(machine.memoryMib())));
    words.addAll(List.of("-kernel", kernel.toString(), "-initrd", initramfs.toString()));
    words.addAll(List.of("-append", (KERNEL_ARGUMENTS + " " + machine.kernelArguments()).strip()));
    words.addAll(serial("console", "file,path=" + escaped(files.console())));
    words.addAll(serial("programs", "stdio,signal=off"));
    words.addAll(serial("results", "file,path=" + escaped(files.results())));
    return words;
  }

  /**
   * Under KVM the host's own CPU: with its SVM or VMX, and with a TSC that counts at one rate,
   * without which the kernel under test would not keep it as clocksource. QEMU withholds that one
   * from machines that may migrate.
   */
  private String cpu() {
    return accelerator.isKvm() ? "host,migratable=off,+invtsc" : "max";
  }

  private String accel() {
    if (accelerator.isKvm()) {
      return "kvm";
    }
    return "tcg,thread=" + (qemu.parallelCpus() ? "multi" : "single");
  }

  private static List<String> serial(String name, String backend) {
    int comma = backend.indexOf(',');
    String kind = backend.substring(0, comma);
    String rest = backend.substring(comma);
    return List.of("-chardev", kind + ",id=" + name + rest, "-serial", "chardev:" + name);
  }

  /** A comma ends a value unless it is doubled. */
  private static String escaped(Path path) {
    return path.toString().replace(",", ",,");
  }
}
