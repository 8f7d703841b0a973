package kvmselftest.selftests;

import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import kvmselftest.kvm.TimedCalls;
import kvmselftest.kvm.TimedCalls.Timed;
import kvmselftest.kvm.Vcpu;
import kvmselftest.x86.CounterWindow;
import kvmselftest.x86.Msr;

/**
 * What a vCPU's TSC is ahead of the host's, by KVM_GET_MSRS of IA32_TSC between two readings of the
 * host's: for kernels without the attribute, and for hosts on which an offset does not last.
 *
 * @param ticks guest TSC minus host TSC
 * @param error how far that may be off either way, ticks
 */
record TscPosition(long ticks, long error) {
  private static final int READINGS = 12;

  /** The narrowest of some readings. */
  static TscPosition of(Vcpu vcpu) {
    TimedCalls calls = new TimedCalls();
    List<Timed<Long>> reads =
        IntStream.range(0, READINGS).mapToObj(_ -> calls.getMsr(vcpu, Msr.IA32_TSC)).toList();
    calls.make();
    return reads.stream()
        .map(read -> at(read.value(), read.hostTsc()))
        .min(Comparator.comparingLong(TscPosition::error))
        .orElseThrow();
  }

  private static TscPosition at(long guestTsc, CounterWindow hostTsc) {
    long half = (hostTsc.width() + 1) / 2;
    return new TscPosition(guestTsc - hostTsc.from() - half, half);
  }

  /** How far one is ahead of another, ticks. */
  TscPosition minus(TscPosition other) {
    return new TscPosition(ticks - other.ticks, error + other.error);
  }

  /** Whether it can be one of these. */
  boolean mayBeIn(CounterWindow window) {
    return new CounterWindow(window.from() - error, window.to() + error).contains(ticks);
  }
}
