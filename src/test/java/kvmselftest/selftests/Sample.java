package kvmselftest.selftests;

import kvmselftest.guest.ClockGuest;
import kvmselftest.guest.ClockGuest.KvmclockReading;
import kvmselftest.kvm.Vcpu;
import kvmselftest.sys.Clock;
import kvmselftest.x86.CounterWindow;

/**
 * What a vCPU saw of its clocks at a moment.
 *
 * @param vcpu its index
 * @param hostNanos the middle of the KVM_RUN by the host's CLOCK_MONOTONIC_RAW, ns
 * @param hostTsc the host's TSC before and after
 * @param guestTsc RDTSC
 * @param kvmclock what the guest's pvclock page says at that TSC, ns
 */
record Sample(int vcpu, long hostNanos, CounterWindow hostTsc, long guestTsc, long kvmclock) {
  static Sample of(ClockGuest guest, Vcpu vcpu) {
    long before = Clock.MONOTONIC_RAW.nanos();
    KvmclockReading reading = guest.readKvmclock(vcpu);
    long middle = before + (Clock.MONOTONIC_RAW.nanos() - before) / 2;
    return new Sample(vcpu.index(), middle, reading.hostTsc(), reading.guestTsc(), reading.nanos());
  }
}
