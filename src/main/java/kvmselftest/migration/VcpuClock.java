package kvmselftest.migration;

import kvmselftest.kvm.TscOffset;

/**
 * What makes a vCPU's TSC of its host's.
 *
 * @param index the vCPU's
 * @param offset KVM_VCPU_TSC_OFFSET: what is added after the scaling
 * @param tscKhz what KVM_GET_TSC_KHZ says, kHz: the rate the guest was promised
 * @param countsAtKhz the rate at which it counts, kHz. Not the same where the promise is near
 *     enough to the host's rate for KVM not to scale (its module parameter tsc_tolerance_ppm, 250
 *     ppm), or where it cannot scale
 * @param scaling what the host's TSC is multiplied by
 */
public record VcpuClock(
    int index, TscOffset offset, long tscKhz, long countsAtKhz, TscScaling scaling) {
  /**
   * @throws IllegalArgumentException if the index is negative or a rate is not in 1 to 2^32 - 1
   */
  public VcpuClock {
    if (index < 0) {
      throw new IllegalArgumentException("there is no vCPU " + index);
    }
    TscScaling.requireKhz(tscKhz);
    TscScaling.requireKhz(countsAtKhz);
  }

  /** The guest's TSC at a moment, given the host's, ticks, unsigned. */
  public long guestTsc(long hostTsc) {
    return offset.guestTsc(scaling.scale(hostTsc));
  }

  /** The same vCPU with another offset. */
  public VcpuClock withOffset(TscOffset other) {
    return new VcpuClock(index, other, tscKhz, countsAtKhz, scaling);
  }
}
