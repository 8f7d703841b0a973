package kvmselftest.migration;

import kvmselftest.kvm.TscOffset;

/**
 * The arithmetic of a move, exact modulo 2^64 as TSCs are. The kernel's document (vcpu.rst, section
 * 4.1, step 6) says
 *
 * <pre>  new_off_n = t0 + off_n + (k1 - k0) * freq - t1</pre>
 *
 * which leaves out two things: freq is in kHz and the difference in ns, and where the TSC is scaled
 * t0 and t1 have to be, too, each by its own host's ratio.
 */
public final class ClockArithmetic {
  private static final long KHZ_TIMES_NANOS_PER_TICK = 1_000_000;

  private ClockArithmetic() {}

  /**
   * How many ticks a counter advances in a time: khz * nanos / 10^6, rounded down, modulo 2^64.
   * Less than a tick too few.
   *
   * @param nanos any, negative for backwards
   * @param khz the counter's rate, 1 to 2^32 - 1
   */
  public static long ticks(long nanos, long khz) {
    TscScaling.requireKhz(khz);
    // By the quotient and the remainder, so that only what is to wrap can: the rest has 52 bits.
    long quotient = Math.floorDiv(nanos, KHZ_TIMES_NANOS_PER_TICK);
    long remainder = Math.floorMod(nanos, KHZ_TIMES_NANOS_PER_TICK);
    return quotient * khz + remainder * khz / KHZ_TIMES_NANOS_PER_TICK;
  }

  /**
   * Step 6: the offset with which a vCPU's TSC goes on on the destination as far as kvmclock does.
   * Its TSC is then behind by less than a tick, whatever the times, rates and ratios are.
   *
   * @param from on the source
   * @param vcpu on the source
   * @param to on the destination, when its kvmclock has been set
   * @param scaling of the vCPU on the destination
   */
  public static TscOffset newOffset(Moment from, VcpuClock vcpu, Moment to, TscScaling scaling) {
    long passed = ticks(to.kvmclock() - from.kvmclock(), vcpu.countsAtKhz());
    long guestTsc = vcpu.guestTsc(from.hostTsc()) + passed;
    return new TscOffset(guestTsc - scaling.scale(to.hostTsc()));
  }
}
