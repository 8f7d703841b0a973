package kvmselftest.host.emulator;

import java.nio.file.Path;
import kvmselftest.host.HostException;
import kvmselftest.host.Machine;
import kvmselftest.host.kernel.CpuVendor;

/** A program that emulates a PC with a CPU that has hardware virtualization. */
public interface Emulator {
  /** Its name and version, for messages. */
  String name();

  /** Whose virtualization the emulated CPU has. */
  CpuVendor vendor();

  /** Whether the emulated CPUs run at the same time. */
  boolean parallelCpus();

  /**
   * Starts it.
   *
   * @param machine what to emulate
   * @param kernel the kernel to boot
   * @param initramfs its first root file system
   * @param files where the console's and the results' serial ports lead; they need not exist
   * @param folder for files of its own, which nobody wants afterwards
   * @throws HostException if it cannot be started
   */
  RunningEmulator start(
      Machine machine, Path kernel, Path initramfs, SerialFiles files, Path folder)
      throws HostException;
}
