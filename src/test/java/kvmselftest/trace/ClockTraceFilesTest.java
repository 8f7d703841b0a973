package kvmselftest.trace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import kvmselftest.kvm.ClockCall;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The form of the lines; that they tell the truth, ci/check-trace.sh sees to. */
class ClockTraceFilesTest {
  private static final HostTime TIME = new HostTime(1_000, 2e6); // 2 ticks a ns

  @Test
  void writesCallAsTextAndJson() throws IOException {
    TscWrites writes = new TscWrites(TIME);
    writes.take(call(1_000, "KVM_CREATE_VCPU", 2, 0, Map.of(), true, null));
    TimedLine write =
        writes.take(call(5_000, "KVM_SET_MSRS MSR_IA32_TSC", 2, 0, Map.of("tsc", -1L), true, null));

    TraceLine line = TraceLine.of(write, TIME);

    assertEquals(
        "[    0.000002000] KVM_SET_MSRS MSR_IA32_TSC vm=2, vcpu=0, tsc=18446744073709551615,"
            + " elapsed=2000",
        line.text());
    JsonNode json = new JsonMapper().readTree(line.json());
    assertEquals(2_000, json.get("time_ns").longValue());
    assertEquals("18446744073709551615", json.get("tsc").toString());
    assertEquals(5_100, json.get("host_tsc_after").longValue());
    assertEquals(2_000, json.get("elapsed").longValue());
  }

  @Test
  void countsFromTheLastWriteInTheSameVm() {
    TscWrites writes = new TscWrites(TIME);
    writes.take(call(2_000, "KVM_CREATE_VCPU", 1, 0, Map.of(), true, null));

    TimedLine other = writes.take(call(3_000, "KVM_GET_CLOCK", 2, -1, Map.of(), false, null));
    TimedLine read = writes.take(call(4_000, "KVM_GET_CLOCK", 1, -1, Map.of(), false, null));
    TimedLine again = writes.take(call(6_000, "KVM_GET_CLOCK", 1, -1, Map.of(), false, null));

    assertTrue(!other.fields().containsKey("elapsed"));
    assertEquals(1_000L, read.fields().get("elapsed"));
    assertEquals(2_000L, again.fields().get("elapsed"));
  }

  @Test
  void saysWhatTheKernelRefused() {
    TimedLine refused =
        TimedLine.of(call(1_000, "KVM_SET_CLOCK", 1, -1, Map.of("flags", 16L), false, "EINVAL"));

    assertEquals(
        "[    0.000000000] KVM_SET_CLOCK vm=1, flags=0x10, error=EINVAL",
        TraceLine.of(refused, TIME).text());
  }

  @Test
  void indentsTheKernel() {
    TimedLine event =
        TimedLine.of(
            new KernelEvent(
                1_200, 1, "kvm_write_tsc_offset", 0, Map.of("offset", -5L), "vcpu=0 next=1"));

    assertEquals(
        "[    0.000000100]     kernel: kvm_write_tsc_offset vcpu=0 next=1",
        TraceLine.of(event, TIME).text());
  }

  @Test
  void keepsNamesOfTestsAsJsonHasThem() throws IOException {
    String name = "T.m [1] \"a\\b\"\n\u0001 ±";

    assertEquals(
        name, new JsonMapper().readTree(TraceLine.ofTest(name).json()).get("test").textValue());
    assertEquals(List.of("", "== T"), TraceLine.ofTest("T").text().lines().toList());
  }

  private static ClockCall call(
      long hostTsc,
      String operation,
      int vm,
      int vcpu,
      Map<String, Long> values,
      boolean writesTsc,
      @Nullable String error) {
    return new ClockCall(
        hostTsc, hostTsc + 100, false, operation, vm, vcpu, values, writesTsc, error);
  }
}
