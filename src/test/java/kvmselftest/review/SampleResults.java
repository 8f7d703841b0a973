package kvmselftest.review;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import kvmselftest.results.HostFacts;
import kvmselftest.results.Measurement;
import kvmselftest.results.Published;
import kvmselftest.results.Results;
import kvmselftest.results.Status;
import kvmselftest.results.TestResult;

/** Results of no run: test data. */
public final class SampleResults {
  private final List<TestResult> tests = new ArrayList<>();
  private Map<String, String> behaviours = Map.of("sample.behaviour", "old");
  private String kernel = "6.1.0-sample";

  public SampleResults pass(String name, Measurement... measured) {
    Published published = Published.NOTHING;
    for (Measurement value : measured) {
      for (Map.Entry<String, String> entry : value.entry("sample text").entrySet()) {
        published = published.plus(entry.getKey(), entry.getValue());
      }
    }
    return add(name, Status.PASS, "", published);
  }

  public SampleResults fail(String name, String failure) {
    return add(name, Status.FAIL, failure, Published.NOTHING);
  }

  public SampleResults skip(String name, String reason) {
    return add(name, Status.SKIP, reason, Published.NOTHING);
  }

  public SampleResults publish(String name, String key, String value) {
    return add(name, Status.PASS, "", Published.NOTHING.plus(key, value));
  }

  public SampleResults behaviour(String seen) {
    behaviours = Map.of("sample.behaviour", seen);
    return this;
  }

  public SampleResults kernel(String release) {
    kernel = release;
    return this;
  }

  private SampleResults add(String name, Status status, String message, Published published) {
    String className = name.substring(0, name.indexOf('.'));
    Duration took = Duration.ofMillis(12);
    tests.add(new TestResult(name, className, 1, status, message, took, published));
    return this;
  }

  public Results of(String verdict, String reason) {
    HostFacts host =
        new HostFacts(
            kernel,
            "sample CPU",
            "tsc",
            "kvm_amd",
            "emulated",
            "sample emulator",
            Map.of("KVM_CAP_ADJUST_CLOCK", 14));
    return new Results(
        "sample tool",
        Instant.parse("2001-02-03T04:05:06Z"),
        Duration.ofSeconds(7),
        verdict,
        reason,
        host,
        behaviours,
        tests);
  }

  public Results ofVerdict() {
    return of("passed", "");
  }
}
