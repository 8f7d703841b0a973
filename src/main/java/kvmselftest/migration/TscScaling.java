package kvmselftest.migration;

/**
 * How a CPU makes a guest's TSC of the host's, before the offset is added: it multiplies by a
 * fixed-point number (arch/x86/kvm/x86.c, kvm_scale_tsc() and set_tsc_khz()).
 *
 * @param ratio guest rate divided by host rate, times 2^fractionBits, unsigned, not 0
 * @param fractionBits {@link #AMD}, {@link #INTEL}, or 0 where the TSC is not scaled
 */
public record TscScaling(long ratio, int fractionBits) {
  /** Bits behind the point of AMD's MSR TSC_RATIO. */
  public static final int AMD = 32;

  /** Bits behind the point of Intel's VMCS field TSC multiplier. */
  public static final int INTEL = 48;

  /** The guest's TSC counts as the host's does. */
  public static final TscScaling NONE = new TscScaling(1, 0);

  private static final int MOST_BITS = 62;

  /**
   * @throws IllegalArgumentException if the number cannot be one
   */
  public TscScaling {
    boolean none = fractionBits == 0;
    if (ratio == 0 || (none && ratio != 1) || fractionBits < 0 || fractionBits > MOST_BITS) {
      throw new IllegalArgumentException(
          "no TSC scaling: ratio %s with %d fractional bits"
              .formatted(Long.toUnsignedString(ratio), fractionBits));
    }
  }

  /**
   * The ratio that KVM chooses: guest rate divided by host rate, rounded down.
   *
   * @param hostKhz 1 to 2^32 - 1
   * @param guestKhz 1 to 2^32 - 1
   * @param fractionBits {@link #AMD} or {@link #INTEL}
   * @throws IllegalArgumentException if a rate is out of range, or the ratio has no room
   */
  public static TscScaling of(long hostKhz, long guestKhz, int fractionBits) {
    requireKhz(hostKhz);
    requireKhz(guestKhz);
    if (((guestKhz / hostKhz) >>> (Long.SIZE - fractionBits)) != 0) {
      throw new IllegalArgumentException(
          "%d kHz is too far above the host's %d kHz for %d fractional bits"
              .formatted(guestKhz, hostKhz, fractionBits));
    }
    long ratio = guestKhz / hostKhz;
    long rest = guestKhz % hostKhz;
    for (int bit = 0; bit < fractionBits; bit++) { // long division: the dividend has up to 94 bits
      rest <<= 1;
      ratio <<= 1;
      if (rest >= hostKhz) {
        rest -= hostKhz;
        ratio |= 1;
      }
    }
    return new TscScaling(ratio, fractionBits);
  }

  /** A TSC's rate as KVM has it, which keeps it in 32 bits. */
  static void requireKhz(long khz) {
    if (khz < 1 || khz >>> Integer.SIZE != 0) {
      throw new IllegalArgumentException(
          "a TSC rate of %d kHz is not in 1 to 2^32 - 1".formatted(khz));
    }
  }

  public boolean isNone() {
    return fractionBits == 0;
  }

  /**
   * The scaled TSC: the 128-bit product divided by 2^fractionBits, rounded down, modulo 2^64.
   *
   * @param hostTsc ticks, unsigned
   */
  public long scale(long hostTsc) {
    if (isNone()) {
      return hostTsc;
    }
    long high = Math.unsignedMultiplyHigh(hostTsc, ratio);
    return (high << (Long.SIZE - fractionBits)) | ((hostTsc * ratio) >>> fractionBits);
  }

  @Override
  public String toString() {
    return isNone()
        ? "not scaled"
        : "scaled by %s/2^%d".formatted(Long.toUnsignedString(ratio), fractionBits);
  }
}
