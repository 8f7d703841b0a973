package kvmselftest.runner;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What a result is worth little without: the kernel, the CPU, the clocksource. */
final class HostFacts {
  private static final Path CPUINFO = Path.of("/proc/cpuinfo");
  private static final Path CLOCKSOURCE =
      Path.of("/sys/devices/system/clocksource/clocksource0/current_clocksource");

  private HostFacts() {}

  /** A line each. */
  static Stream<String> lines() {
    Map<String, String> cpu = cpu();
    return Stream.of(
        "kernel: Linux " + System.getProperty("os.version", "unknown"),
        "CPU: %s (%s), %d online"
            .formatted(
                cpu.getOrDefault("model name", "unknown"),
                cpu.getOrDefault("vendor_id", "unknown"),
                Runtime.getRuntime().availableProcessors()),
        "clocksource: " + text(CLOCKSOURCE).strip());
  }

  /** Of the first CPU. */
  private static Map<String, String> cpu() {
    return text(CPUINFO)
        .lines()
        .map(line -> line.split(":", 2))
        .filter(pair -> pair.length == 2)
        .collect(Collectors.toMap(pair -> pair[0].strip(), pair -> pair[1].strip(), (a, b) -> a));
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return "unknown";
    }
  }
}
