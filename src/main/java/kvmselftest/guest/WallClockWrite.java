package kvmselftest.guest;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import kvmselftest.kvm.ClockData;
import kvmselftest.kvm.TimedCalls;
import kvmselftest.kvm.TimedCalls.Timed;
import kvmselftest.kvm.Vcpu;
import kvmselftest.kvm.Vm;
import kvmselftest.x86.CounterWindow;
import kvmselftest.x86.Msr;

/**
 * MSR_KVM_WALL_CLOCK was written, and KVM put a {@code struct pvclock_wall_clock} into the guest's
 * memory: the wall-clock time at which kvmclock was 0 (Documentation/virt/kvm/x86/msr.rst,
 * MSR_KVM_WALL_CLOCK_NEW).
 *
 * @param version even once it is written
 * @param sec whole seconds since 1970, unsigned
 * @param nsec the rest, ns
 * @param before KVM_GET_CLOCK before, with realtime
 * @param after KVM_GET_CLOCK after, with realtime
 * @param nanos how long it took to write the MSR, at most
 */
public record WallClockWrite(
    int version, int sec, int nsec, ClockData before, ClockData after, long nanos) {
  /** Size of the structure in bytes. */
  public static final int SIZE = 12;

  private static final long NANOS_PER_SECOND = 1_000_000_000;
  private static final long NANOS_PER_MILLI = 1_000_000;

  /**
   * KVM_SET_MSRS of the MSR between two KVM_GET_CLOCK.
   *
   * @param msr one of the two indices
   * @param gpa where KVM is to write
   */
  public static WallClockWrite byHost(Vcpu vcpu, Msr msr, long gpa) {
    TimedCalls calls = new TimedCalls();
    Timed<ClockData> before = calls.getClock(vcpu.vm());
    Timed<Long> written = calls.setMsr(vcpu, msr, gpa);
    Timed<ClockData> after = calls.getClock(vcpu.vm());
    calls.make();
    long ticks = written.hostTsc().width();
    long nanos = ticks * NANOS_PER_MILLI / vcpu.vm().getTscKhz() + 1;
    return read(vcpu.vm(), gpa, before.value(), after.value(), nanos);
  }

  /** The guest's WRMSR between two KVM_GET_CLOCK, otherwise as {@link #byHost}. */
  public static WallClockWrite byGuest(ClockGuest guest, Vcpu vcpu, Msr msr, long gpa) {
    ClockData before = vcpu.vm().getClock();
    guest.writeMsr(vcpu, msr, gpa);
    ClockData after = vcpu.vm().getClock();
    return read(vcpu.vm(), gpa, before, after, after.clock() - before.clock());
  }

  private static WallClockWrite read(
      Vm vm, long gpa, ClockData before, ClockData after, long nanos) {
    MemorySegment memory = vm.memory().segment().asSlice(gpa, SIZE);
    return new WallClockWrite(
        memory.get(JAVA_INT_UNALIGNED, 0),
        memory.get(JAVA_INT_UNALIGNED, 4),
        memory.get(JAVA_INT_UNALIGNED, 8),
        before,
        after,
        nanos);
  }

  /** The wall-clock time at which kvmclock was 0, ns since 1970. */
  public long epoch() {
    return Integer.toUnsignedLong(sec) * NANOS_PER_SECOND + Integer.toUnsignedLong(nsec);
  }

  /**
   * Where the epoch is if realtime and kvmclock were read at the same moment: the difference of the
   * two is the same before and after, but for what the host's NTP makes of it, and for rounding.
   * Both are rounded down to 1 ns, and before that kvmclock drops a bit of the ticks where its
   * shift is negative, as it is above 2 GHz, another nanosecond at most: the difference takes three
   * values next to each other (seen in 200,000 KVM_GET_CLOCKs in a row).
   */
  public CounterWindow ofOneReading() {
    long first = before.realtime() - before.clock();
    long last = after.realtime() - after.clock();
    return new CounterWindow(Math.min(first, last) - 2, Math.max(first, last) + 2);
  }

  /** Where the epoch is if the two were read one after the other while the MSR was written. */
  public CounterWindow ofTwoReadings() {
    CounterWindow one = ofOneReading();
    return new CounterWindow(one.from() - nanos, one.to() + nanos);
  }
}
