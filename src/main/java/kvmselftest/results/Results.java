package kvmselftest.results;

import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One run.
 *
 * @param tool what made it, with its version
 * @param started when the run began
 * @param took how long it ran
 * @param verdict {@code passed}, {@code failed}, {@code skipped} or {@value #NO_VERDICT}
 * @param reason why there is no verdict; empty if there is one
 * @param host the machine whose KVM was tested
 * @param behaviours what its kernel does where kernels rightly differ, by key
 * @param tests in the order in which they ended
 */
public record Results(
    String tool,
    Instant started,
    Duration took,
    String verdict,
    String reason,
    HostFacts host,
    Map<String, String> behaviours,
    List<TestResult> tests) {
  /** The file's name in the report folder. */
  public static final String FILE = "results.json";

  /** What the file's {@code format} says. */
  public static final String FORMAT = "kvm-clock-selftests results";

  /** Raised when a reader of this one would misread a file. */
  public static final int VERSION = 1;

  /** The verdict of a run that was cut off. */
  public static final String NO_VERDICT = "no verdict";

  public Results {
    behaviours = Collections.unmodifiableMap(new LinkedHashMap<>(behaviours));
    tests = List.copyOf(tests);
  }

  /** How many tests ended in which way. */
  public Totals totals() {
    return Totals.of(tests);
  }

  public boolean hasVerdict() {
    return !verdict.equals(NO_VERDICT);
  }

  /** This program, with its version if it was built as a jar. */
  public static String thisTool() {
    String version = Results.class.getPackage().getImplementationVersion();
    return "kvm-clock-selftests" + (version == null ? "" : " " + version);
  }

  /**
   * A run that did not come to its end.
   *
   * @param tests what is known of them
   */
  public static Results withoutVerdict(
      Instant started, String reason, HostFacts host, List<TestResult> tests) {
    return new Results(
        thisTool(),
        started,
        Duration.between(started, Instant.now()),
        NO_VERDICT,
        reason,
        host,
        Map.of(),
        tests);
  }
}
