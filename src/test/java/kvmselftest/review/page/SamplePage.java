package kvmselftest.review.page;

import java.util.stream.Collectors;
import java.util.stream.IntStream;
import kvmselftest.results.Measurement;
import kvmselftest.results.Results;
import kvmselftest.review.SampleResults;

/** Runs that were never made, for the page to show: test data, which says so. */
final class SamplePage {
  /** What must never become markup. */
  static final String EVIL = "</script><img src=x onerror=\"document.title='harmed'\">";

  private static final long TSC_KHZ = 2_000_000;

  private SamplePage() {}

  static Results withCharts() {
    return of("TEST DATA");
  }

  static Results evil() {
    return of("TEST DATA " + EVIL);
  }

  private static Results of(String word) {
    SampleResults results = new SampleResults();
    results.kernel(word);
    results.behaviour(word);
    results.fail("SampleTest.fails [1] " + word, "observed 2 " + word + "\nexpected 1");
    results.skip("SampleTest.skips [1] " + word, "not here: " + word);
    results.publish("SampleTest.moves [1] " + word, "chart.migration", migration(word, true, 4));
    results.publish("SampleTest.moves [2] " + word, "chart.migration", migration(word, false, 3));
    results.publish("SampleTest.moves [3] " + word, "chart.migration", "no JSON " + word);
    for (int i = 0; i < 6; i++) {
      results.pass(
          "SampleTest.measures%d%s".formatted(i, word.contains("<") ? word : ""),
          Measurement.ofError("error " + word, "ns", -(1L << (2 * i)) + 1, i, 10),
          Measurement.ofValue(word, "ticks", i, -100L * i, 10L * i));
    }
    return results.of("failed", "because of " + word);
  }

  static Results withoutCharts() {
    return new SampleResults().pass("SampleTest.passes TEST DATA").ofVerdict();
  }

  /** Of a pause of 20 ms, which the older way loses. */
  private static String migration(String word, boolean steps, int vcpus) {
    long lost = steps ? 0 : 20_000_000;
    String samples =
        IntStream.range(0, 40)
            .mapToObj(i -> sample(i % vcpus, i, lost))
            .collect(Collectors.joining(","));
    String before =
        IntStream.range(0, vcpus)
            .mapToObj(i -> "\"" + i * 40 + "\"")
            .collect(Collectors.joining(","));
    String after =
        IntStream.range(0, vcpus)
            .mapToObj(i -> "\"" + (steps ? i * 40 : i * -17) + "\"")
            .collect(Collectors.joining(","));
    return """
    {"way":"%s","vcpus":%d,"pauseNs":20000000,"tscKhz":%d,"samples":[%s],
     "tscDifferences":{"before":[%s],"after":[%s]}}
    """
        .formatted(
            (steps ? "seven steps, " : "older way, ") + word.replace("\"", "\\\""),
            vcpus,
            TSC_KHZ,
            samples,
            before,
            after);
  }

  private static String sample(int vcpu, int number, long lost) {
    boolean moved = number >= 20;
    long host = 1_795_707_143_932_799_621L + number * 500_000L + (moved ? 20_000_000 : 0);
    long ran = number * 500_000L + (moved ? 20_000_000 - lost : 0);
    // Near the wrap at 2^64.
    String tsc = Long.toUnsignedString(-20_000_000 + ran * TSC_KHZ / 1_000_000);
    return "{\"vm\":\"%s\",\"vcpu\":%d,\"hostNs\":%d,\"guestTsc\":\"%s\",\"kvmclockNs\":%d}"
        .formatted(moved ? "destination" : "source", vcpu, host, tsc, 3_600_000_000_000L + ran);
  }
}
