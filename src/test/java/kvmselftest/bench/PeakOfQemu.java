package kvmselftest.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The most memory that a process below this one has had resident, looked up twice a second. */
final class PeakOfQemu implements Runnable {
  private static final long PERIOD_MILLIS = 500;

  private volatile long kib;

  private PeakOfQemu() {}

  static PeakOfQemu watch() {
    PeakOfQemu peak = new PeakOfQemu();
    Thread.ofPlatform().daemon().name("peak-of-qemu").start(peak);
    return peak;
  }

  /** So far, KiB. */
  long kib() {
    return kib;
  }

  @Override
  public void run() {
    while (true) {
      kib =
          Math.max(
              kib,
              ProcessHandle.current().descendants().mapToLong(PeakOfQemu::peak).max().orElse(0));
      try {
        Thread.sleep(PERIOD_MILLIS);
      } catch (InterruptedException e) {
        return; // nobody does this; a daemon that is told to stop stops
      }
    }
  }

  /** VmHWM of proc(5); 0 for a process that has ended. */
  private static long peak(ProcessHandle process) {
    try (var lines = Files.lines(Path.of("/proc/" + process.pid() + "/status"))) {
      return lines
          .filter(line -> line.startsWith("VmHWM:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
          .findFirst()
          .orElse(0);
    } catch (IOException e) {
      return 0;
    }
  }
}
