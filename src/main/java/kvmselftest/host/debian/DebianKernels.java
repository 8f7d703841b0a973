package kvmselftest.host.debian;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The suites of Debian's that have the kernels this project is run on. */
public final class DebianKernels {
  private static final Map<String, String> SUITES = new LinkedHashMap<>();

  static {
    SUITES.put("5.10", "bullseye");
    SUITES.put("6.1", "bookworm");
    SUITES.put("6.12", "trixie");
    SUITES.put("7.2", "sid");
  }

  /** Whatever version the suite has in which the newest appear. */
  public static final String LATEST = "latest";

  private DebianKernels() {}

  /** What can be asked for: kernel versions, oldest first, and {@link #LATEST}. */
  public static List<String> versions() {
    List<String> versions = new ArrayList<>(SUITES.keySet());
    versions.add(LATEST);
    return List.copyOf(versions);
  }

  /** The suite with kernels of that version. */
  static Optional<String> suite(String version) {
    return Optional.ofNullable(version.equals(LATEST) ? "sid" : SUITES.get(version));
  }

  /** The version, in two numbers, that a kernel's release or a package's version begins with. */
  static String version(String release) {
    String[] numbers = release.split("[^0-9]+", 3);
    return numbers.length < 2 ? release : numbers[0] + "." + numbers[1];
  }
}
