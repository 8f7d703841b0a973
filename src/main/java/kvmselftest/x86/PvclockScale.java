package kvmselftest.x86;

/**
 * By what a pvclock page turns ticks into nanoseconds: they are shifted, multiplied and divided by
 * 2^32 (arch/x86/include/asm/pvclock-abi.h).
 *
 * @param mul nanoseconds a shifted tick, times 2^32, unsigned
 * @param shift by how much ticks are shifted left; negative: right
 */
public record PvclockScale(int mul, int shift) {
  private static final long NANOS_PER_SECOND = 1_000_000_000L;
  private static final long HZ_PER_KHZ = 1000;

  /**
   * KVM's choice for a TSC of this rate (kvm_get_time_scale() in arch/x86/kvm/x86.c): the shift
   * after which a tick lasts less than a nanosecond, but not less than half of one, so that the
   * multiplier has its top bit set; and the multiplier rounded down.
   *
   * @param khz 1 to 2^32 - 1
   */
  public static PvclockScale ofKhz(long khz) {
    long hz = khz * HZ_PER_KHZ;
    int shift = 0;
    while (hz > 2 * NANOS_PER_SECOND) {
      hz >>= 1;
      shift--;
    }
    while (hz <= NANOS_PER_SECOND) {
      hz <<= 1;
      shift++;
    }
    return new PvclockScale((int) ((NANOS_PER_SECOND << 32) / hz), shift);
  }

  /** The rate, kHz, that {@link #ofKhz} makes this scale of; -1 if there is none. */
  public long khz() {
    double hz = NANOS_PER_SECOND * 0x1p32 / Integer.toUnsignedLong(mul) / Math.scalb(1.0, shift);
    long khz = Math.round(hz / HZ_PER_KHZ);
    return khz > 0 && ofKhz(khz).equals(this) ? khz : -1;
  }

  @Override
  public String toString() {
    return "multiplier 0x%08x, shift %d".formatted(mul, shift);
  }
}
