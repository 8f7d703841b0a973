package kvmselftest.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import kvmselftest.host.Machine;

/** How many emulated hosts fit a machine at once. */
final class RoomForHosts {
  private static final Path MEMORY = Path.of("/proc/meminfo");

  /** What QEMU needs beside the emulated memory: translated code, and the image while it boots. */
  private static final long OVERHEAD_MIB = 400;

  private static final long KIB_PER_MIB = 1024;

  private RoomForHosts() {}

  static int onThisMachine(Machine machine) {
    return of(machine, Runtime.getRuntime().availableProcessors(), availableMib(MEMORY));
  }

  /** One always; another for each further set of cores and memory. */
  static int of(Machine machine, int cores, long availableMib) {
    long byMemory = availableMib / (machine.memoryMib() + OVERHEAD_MIB);
    return (int) Math.max(1, Math.min(cores / machine.cpus(), byMemory));
  }

  /** No memory, hence one host, where the kernel does not say. */
  static long availableMib(Path meminfo) {
    try {
      return Files.readString(meminfo)
              .lines()
              .filter(line -> line.startsWith("MemAvailable:"))
              .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
              .findFirst()
              .orElse(0)
          / KIB_PER_MIB;
    } catch (IOException e) {
      return 0;
    }
  }
}
