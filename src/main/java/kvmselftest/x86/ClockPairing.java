package kvmselftest.x86;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.util.stream.IntStream;

/**
 * A copy of a {@code struct kvm_clock_pairing}: a wall clock and a guest's TSC of one moment
 * (arch/x86/include/uapi/asm/kvm_para.h; Documentation/virt/kvm/x86/hypercalls.rst,
 * KVM_HC_CLOCK_PAIRING).
 *
 * @param seconds of CLOCK_REALTIME
 * @param nanos of CLOCK_REALTIME, within the second
 * @param tsc of the guest, ticks
 * @param flags 0, as none are defined
 * @param padded whether all of the padding behind them is 0
 */
public record ClockPairing(long seconds, long nanos, long tsc, int flags, boolean padded) {
  /** Size of the structure in bytes. */
  public static final int SIZE = 64;

  /** KVM_CLOCK_PAIRING_WALLCLOCK, the one clock there is. */
  public static final long WALL_CLOCK = 0;

  private static final long NANOS_PER_SECOND = 1_000_000_000;
  private static final int PADDING_FROM = 28;

  /** Reads the structure at the start of {@code memory}. */
  public static ClockPairing read(MemorySegment memory) {
    return new ClockPairing(
        memory.get(JAVA_LONG, 0),
        memory.get(JAVA_LONG, 8),
        memory.get(JAVA_LONG, 16),
        memory.get(JAVA_INT, 24),
        IntStream.iterate(PADDING_FROM, at -> at < SIZE, at -> at + Integer.BYTES)
            .allMatch(at -> memory.get(JAVA_INT, at) == 0));
  }

  /** CLOCK_REALTIME, ns since 1970. */
  public long realtime() {
    return seconds * NANOS_PER_SECOND + nanos;
  }
}
