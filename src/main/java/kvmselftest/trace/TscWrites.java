package kvmselftest.trace;

import java.util.HashMap;
import java.util.Map;
import kvmselftest.kvm.ClockCall;

/**
 * When each VM's TSC was last written, by which KVM decides whether a write is one to synchronise:
 * a value written, an offset set, a vCPU created. Calls in the order of their time.
 */
final class TscWrites {
  private final HostTime time;
  private final Map<Integer, Long> lastWrite = new HashMap<>();

  TscWrites(HostTime time) {
    this.time = time;
  }

  /** The call, with the ns since the last write in its VM, if there was one. */
  TimedLine take(ClockCall call) {
    TimedLine line = TimedLine.of(call);
    Long last = lastWrite.get(call.vm());
    if (call.writesTsc()) {
      lastWrite.put(call.vm(), call.hostTsc());
    }
    return last == null || call.vm() == 0
        ? line
        : line.with("elapsed", time.nanosOf(call.hostTsc() - last));
  }
}
