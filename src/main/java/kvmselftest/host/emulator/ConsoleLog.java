package kvmselftest.host.emulator;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What the kernel of the emulated host has written. Shown and explained; no verdict hangs on it.
 */
public record ConsoleLog(Path file) {
  /** How the kernel begins to say that it cannot go on, and what it says on the way there. */
  private static final Pattern TROUBLE =
      Pattern.compile(
          "Initramfs unpacking failed|BUG: |Oops: |general protection fault|int3: |"
              + "stack guard page|Kernel panic - ");

  private static final Pattern OUT_OF_MEMORY = Pattern.compile("Out of memory: |Kernel panic.*oom");

  private static final Pattern PANIC = Pattern.compile("Kernel panic - ");

  /** The time in front of each line. */
  private static final Pattern TIME = Pattern.compile("^\\[ *[0-9.]+\\] *");

  /** The last lines, oldest first. */
  public List<String> last(int count) {
    List<String> lines = lines();
    return lines.subList(Math.max(0, lines.size() - count), lines.size());
  }

  /** Whether the kernel panicked, which ends the machine. */
  public boolean panicked() {
    return first(PANIC).isPresent();
  }

  /** The first line that tells of a panic or of what led to it. */
  public Optional<String> trouble() {
    return first(TROUBLE);
  }

  /** Whether the kernel has killed for want of memory. */
  public boolean outOfMemory() {
    return first(OUT_OF_MEMORY).isPresent();
  }

  private Optional<String> first(Pattern pattern) {
    return lines().stream()
        .filter(line -> pattern.matcher(line).find())
        .findFirst()
        .map(line -> TIME.matcher(line).replaceFirst(""));
  }

  private List<String> lines() {
    try {
      String text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
      return text.lines().map(String::stripTrailing).filter(line -> !line.isEmpty()).toList();
    } catch (IOException e) {
      return List.of();
    }
  }
}
