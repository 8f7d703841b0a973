package kvmselftest.kvm;

/**
 * What a vCPU's TSC is ahead of the host's. Guest TSC, host TSC and offset are 64-bit counters: all
 * arithmetic is modulo 2^64.
 *
 * @param ticks guest TSC minus host TSC, in ticks, where the guest's rate is the host's
 */
public record TscOffset(long ticks) {
  /** The guest TSC at a moment, given the host TSC at that moment. */
  public long guestTsc(long hostTsc) {
    return hostTsc + ticks;
  }

  @Override
  public String toString() {
    return "%+d ticks".formatted(ticks);
  }
}
