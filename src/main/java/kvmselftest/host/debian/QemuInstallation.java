package kvmselftest.host.debian;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A QEMU that can be run.
 *
 * @param binary qemu-system-x86_64
 * @param firmware folders for -L, in their order; empty when the binary finds its own
 * @param environment to be added to the process's own (LD_LIBRARY_PATH when unpacked)
 * @param version as it says itself: 10.0.2
 */
public record QemuInstallation(
    Path binary, List<Path> firmware, Map<String, String> environment, String version) {
  /**
   * The first release whose parallel TCG is fit for a JVM: with 7.2 freshly compiled code was seen
   * stale on the other CPU (SIGSEGV), with 10.0 never.
   */
  private static final int FIRST_PARALLEL = 10;

  public QemuInstallation {
    firmware = List.copyOf(firmware);
    environment = Map.copyOf(environment);
  }

  /** Whether its TCG may run the guest's CPUs in parallel (thread=multi). */
  public boolean parallelCpus() {
    return major() >= FIRST_PARALLEL;
  }

  private int major() {
    return Integer.parseInt(version.substring(0, version.indexOf('.')));
  }
}
