package kvmselftest.x86;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A copy of a vCPU's {@code struct pvclock_vcpu_time_info}, by which a guest turns its TSC into
 * kvmclock (arch/x86/include/asm/pvclock-abi.h; Documentation/virt/kvm/x86/msr.rst,
 * MSR_KVM_SYSTEM_TIME_NEW).
 *
 * @param version odd while KVM writes the page; grows with every update
 * @param tscTimestamp guest TSC at the last update, ticks
 * @param systemTime kvmclock at the last update, ns
 * @param tscToSystemMul nanoseconds a (shifted) tick, times 2^32, unsigned
 * @param tscShift by how much ticks are shifted left (negative: right) before the multiplication
 * @param flags {@link #TSC_STABLE} and {@link #GUEST_STOPPED}
 */
public record PvclockPage(
    int version, long tscTimestamp, long systemTime, int tscToSystemMul, int tscShift, int flags) {
  /** PVCLOCK_TSC_STABLE_BIT: all vCPUs' pages give the same time for the same host moment. */
  public static final int TSC_STABLE = 1;

  /** PVCLOCK_GUEST_STOPPED: the host paused the guest (KVM_KVMCLOCK_CTRL). */
  public static final int GUEST_STOPPED = 2;

  /** Size of the structure in bytes. */
  public static final int SIZE = 32;

  /** A page may lie at any multiple of 4. */
  private static final ValueLayout.OfLong LONG_AT_4 = JAVA_LONG.withByteAlignment(Integer.BYTES);

  /** Reads the structure at the start of {@code page}, whose vCPU must not be running. */
  public static PvclockPage read(MemorySegment page) {
    return new PvclockPage(
        page.get(JAVA_INT, 0),
        page.get(LONG_AT_4, 8),
        page.get(LONG_AT_4, 16),
        page.get(JAVA_INT, 24),
        page.get(JAVA_BYTE, 28),
        Byte.toUnsignedInt(page.get(JAVA_BYTE, 29)));
  }

  /** Writes the structure, 32 bytes, for code that reads it by the pvclock protocol. */
  public void write(MemorySegment page) {
    page.set(JAVA_INT, 0, version);
    page.set(JAVA_LONG, 8, tscTimestamp);
    page.set(JAVA_LONG, 16, systemTime);
    page.set(JAVA_INT, 24, tscToSystemMul);
    page.set(JAVA_BYTE, 28, (byte) tscShift);
    page.set(JAVA_BYTE, 29, (byte) flags);
  }

  /** The same but for the version. */
  public PvclockPage withVersion(int other) {
    return new PvclockPage(other, tscTimestamp, systemTime, tscToSystemMul, tscShift, flags);
  }

  /** True if all of the given flags are set. */
  public boolean has(int wanted) {
    return (flags & wanted) == wanted;
  }

  /** By what it turns ticks into nanoseconds. */
  public PvclockScale scale() {
    return new PvclockScale(tscToSystemMul, tscShift);
  }

  /**
   * kvmclock in ns at a guest TSC value, to the nanosecond as a guest computes it: modulo 2^64, the
   * 96-bit product of the shifted difference and the multiplier divided by 2^32, rounded down.
   */
  public long nanosAt(long guestTsc) {
    long ticks = guestTsc - tscTimestamp;
    long shifted = tscShift >= 0 ? ticks << tscShift : ticks >>> -tscShift;
    long mul = Integer.toUnsignedLong(tscToSystemMul);
    long high = Math.unsignedMultiplyHigh(shifted, mul);
    long low = shifted * mul;
    return systemTime + ((high << 32) | (low >>> 32));
  }
}
