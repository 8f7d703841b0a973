package kvmselftest.trace;

import java.util.LinkedHashMap;
import java.util.Map;
import kvmselftest.kvm.ClockCall;

/**
 * A call or an event on its way into the trace.
 *
 * @param hostTsc what they are sorted by, ticks
 * @param fields all but the time
 */
record TimedLine(long hostTsc, Map<String, Object> fields) {
  static TimedLine of(ClockCall call) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("host_tsc_after", call.hostTscAfter());
    fields.put("exact", call.exact());
    fields.put("op", call.operation());
    if (call.vm() > 0) {
      fields.put("vm", call.vm());
    }
    if (call.vcpu() >= 0) {
      fields.put("vcpu", call.vcpu());
    }
    fields.putAll(call.values());
    if (call.error() != null) {
      fields.put("error", call.error());
    }
    return new TimedLine(call.hostTsc(), fields);
  }

  static TimedLine of(KernelEvent event) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("event", event.name());
    if (event.vcpu() >= 0) {
      fields.put("vcpu", event.vcpu());
    }
    fields.putAll(event.values());
    fields.put("cpu", event.cpu());
    fields.put("text", event.text());
    return new TimedLine(event.hostTsc(), fields);
  }

  TimedLine with(String name, Object value) {
    Map<String, Object> more = new LinkedHashMap<>(fields);
    more.put(name, value);
    return new TimedLine(hostTsc, more);
  }
}
