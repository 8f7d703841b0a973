package kvmselftest.kvm;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/**
 * The host on another clocksource than its own, by sysfs, until this is closed or the JVM ends
 * (Documentation/ABI/testing/sysfs-devices-system-clocksource in the kernel's source). The whole
 * machine is on it meanwhile.
 */
public final class OtherClocksource implements AutoCloseable {
  private static final Path AVAILABLE = Clocksource.CURRENT.resolveSibling("available_clocksource");

  private final String own;
  private final Thread hook = new Thread(this::restore, "own-clocksource");

  private OtherClocksource(String own) {
    this.own = own;
  }

  /**
   * Selects one that is not based on the TSC.
   *
   * @throws UncheckedIOException if the kernel refuses
   */
  public static OtherClocksource select() {
    try {
      OtherClocksource selected = new OtherClocksource(read(Clocksource.CURRENT));
      Runtime.getRuntime().addShutdownHook(selected.hook);
      Files.writeString(Clocksource.CURRENT, other().orElseThrow());
      return selected;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The name of the one that the machine is on. */
  public static String current() {
    try {
      return read(Clocksource.CURRENT);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Why there is none to be selected; empty if there is. */
  static Optional<String> unavailable() {
    if (!Files.isWritable(Clocksource.CURRENT)) {
      return Optional.of(Clocksource.CURRENT + " cannot be written: run as root");
    }
    try {
      return other().isPresent()
          ? Optional.empty()
          : Optional.of("no clocksource without the TSC: " + AVAILABLE + " has " + read(AVAILABLE));
    } catch (IOException e) {
      return Optional.of("cannot read " + AVAILABLE + ": " + e);
    }
  }

  private static Optional<String> other() throws IOException {
    return Arrays.stream(read(AVAILABLE).split(" "))
        .filter(name -> name.equals("hpet") || name.equals("acpi_pm"))
        .findFirst();
  }

  private static String read(Path file) throws IOException {
    return Files.readString(file).strip();
  }

  private void restore() {
    try {
      Files.writeString(Clocksource.CURRENT, own);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Selects the machine's own again. */
  @Override
  public void close() {
    restore();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The JVM is ending: the hook restores once more.
    }
  }
}
