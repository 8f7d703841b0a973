package kvmselftest.selftests;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.TestReporter;

/**
 * A move as points for a chart, published as {@code chart.migration} (CONTRIBUTING.md says what is
 * in it).
 */
final class MoveChart {
  private static final String KEY = "chart.migration";

  private final ObjectNode root = JsonNodeFactory.instance.objectNode();

  /**
   * @param way {@code seven steps} or {@code older way}
   */
  MoveChart(String way, int vcpus, Duration pause, long tscKhz) {
    root.put("way", way).put("vcpus", vcpus).put("pauseNs", pause.toNanos()).put("tscKhz", tscKhz);
  }

  /** The first of the source's is the zero of the host's time. */
  MoveChart samples(List<Sample> source, List<Sample> destination) {
    ArrayNode samples = root.putArray("samples");
    long zero = source.getFirst().hostNanos();
    add(samples, "source", source, zero);
    add(samples, "destination", destination, zero);
    return this;
  }

  private static void add(ArrayNode to, String vm, List<Sample> samples, long zero) {
    for (Sample sample : samples) {
      to.addObject()
          .put("vm", vm)
          .put("vcpu", sample.vcpu())
          .put("hostNs", sample.hostNanos() - zero)
          .put("guestTsc", Long.toUnsignedString(sample.guestTsc()))
          .put("kvmclockNs", sample.kvmclock());
    }
  }

  /** Of the vCPUs' TSCs against vCPU 0's, ticks. */
  MoveChart differences(List<Long> before, List<Long> after) {
    ObjectNode differences = root.putObject("tscDifferences");
    ArrayNode was = differences.putArray("before");
    before.forEach(ticks -> was.add(Long.toString(ticks)));
    ArrayNode is = differences.putArray("after");
    after.forEach(ticks -> is.add(Long.toString(ticks)));
    return this;
  }

  void publish(TestReporter reporter) {
    reporter.publishEntry(KEY, root.toString());
  }
}
