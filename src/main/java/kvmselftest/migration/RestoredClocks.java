package kvmselftest.migration;

import java.util.List;
import kvmselftest.x86.CounterWindow;

/**
 * What a restore did, and how far off the guest's clocks may be.
 *
 * @param snapshot what was restored
 * @param downtime what the guest was to see of it
 * @param setClock the host's TSC before and after KVM_SET_CLOCK
 * @param reading the destination's clocks after that, by which the offsets were computed
 * @param vcpus as they were given their offsets
 */
public record RestoredClocks(
    ClockSnapshot snapshot,
    Downtime downtime,
    CounterWindow setClock,
    ClockReading reading,
    List<VcpuClock> vcpus) {
  /** Copies the list. */
  public RestoredClocks {
    vcpus = List.copyOf(vcpus);
  }

  /** By how much kvmclock went on from the snapshot to the reading, ns. */
  public long kvmclockPassed() {
    return reading.moment().kvmclock() - snapshot.reading().moment().kvmclock();
  }

  /**
   * By how much more kvmclock, and with it the TSC, went on than CLOCK_REALTIME did, ns; off by
   * {@link #realtimeError()}. With {@link Downtime#COUNTED} it is the time that KVM_SET_CLOCK took
   * from looking at the one to setting the other, if the destination's wall clock is not behind.
   */
  public long aheadOfRealtime() {
    return kvmclockPassed() - (reading.realtime() - snapshot.reading().realtime());
  }

  /** How far {@link #aheadOfRealtime()} may be off either way, ns: 0 if KVM read all clocks. */
  public long realtimeError() {
    return snapshot.reading().realtimeError() + reading.realtimeError();
  }

  /**
   * How far a vCPU's TSC may be from where kvmclock says it is, ticks either way: one by rounding,
   * and what was uncertain in the readings.
   *
   * @param place in the list of vCPUs
   */
  public long tscError(int place) {
    ClockReading from = snapshot.reading();
    return 1 + scaled(snapshot.vcpus().get(place), from) + scaled(vcpus.get(place), reading);
  }

  private static long scaled(VcpuClock vcpu, ClockReading reading) {
    if (reading.tscError() == 0) {
      return 0;
    }
    return vcpu.scaling().isNone()
        ? reading.tscError()
        : vcpu.scaling().scale(reading.tscError()) + 2; // three roundings less one
  }
}
