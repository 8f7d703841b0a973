package kvmselftest.selftests;

import java.util.ArrayList;
import java.util.List;
import kvmselftest.kvm.ClockData;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.TimedCalls;
import kvmselftest.kvm.TimedCalls.Timed;
import kvmselftest.kvm.TscOffset;
import kvmselftest.kvm.Vcpu;
import kvmselftest.x86.CounterWindow;
import kvmselftest.x86.Msr;

/**
 * How VMMs moved a guest's clocks before Linux 5.16, and some do still: IA32_TSC is read from each
 * vCPU and written to each. What a TSC was when it was read it is when it is written: the time in
 * between is lost, and another one for each vCPU.
 */
enum OlderWay {
  /** QEMU and Firecracker. */
  ALL_CREATED_THEN_ALL_WRITTEN("all vCPUs created, then each written"),
  /** Cloud Hypervisor up to 2026. */
  EACH_WRITTEN_AS_CREATED("each vCPU written as it was created"),
  /** What was proposed for Firecracker on top of the first. */
  FIRST_OFFSET_TO_ALL("all written, then vCPU 0's offset to all"),
  /** A VMM that leaves IA32_TSC out of what it restores. */
  TSC_NOT_WRITTEN("IA32_TSC not written");

  private final String text;

  OlderWay(String text) {
    this.text = text;
  }

  /** What a source is asked for, and the host's TSC around each answer. */
  record Saved(List<Timed<Long>> tscs, Timed<ClockData> clock, int khz) {
    static Saved of(MovingGuest guest) {
      TimedCalls calls = new TimedCalls();
      List<Timed<Long>> tscs =
          guest.vcpus().stream().map(vcpu -> calls.getMsr(vcpu, Msr.IA32_TSC)).toList();
      Timed<ClockData> clock = calls.getClock(guest.guest().vm());
      calls.make();
      return new Saved(tscs, clock, guest.vcpus().getFirst().getTscKhz());
    }
  }

  /**
   * A VM that was given a guest.
   *
   * @param writes of IA32_TSC, by vCPU; none if it was not written
   * @param setClock KVM_SET_CLOCK
   * @param gotClock KVM_GET_CLOCK right after it
   */
  record Restored(
      MovingGuest guest,
      List<Timed<Long>> writes,
      Timed<ClockData> setClock,
      Timed<ClockData> gotClock) {
    /** How long a vCPU's TSC stood still, ticks: from the reading to the write. */
    CounterWindow stoodStill(int vcpu, Saved saved) {
      return writes.get(vcpu).hostTsc().minus(saved.tscs.get(vcpu).hostTsc());
    }
  }

  Restored restore(Kvm kvm, Saved saved, GuestState state) {
    List<Timed<Long>> writes = new ArrayList<>();
    boolean atOnce = this == EACH_WRITTEN_AS_CREATED;
    MovingGuest guest =
        MovingGuest.create(
            kvm,
            saved.tscs.size(),
            vcpu -> {
              if (atOnce) {
                writes.add(write(vcpu, saved));
              }
            });
    if (this == ALL_CREATED_THEN_ALL_WRITTEN || this == FIRST_OFFSET_TO_ALL) {
      guest.vcpus().forEach(vcpu -> writes.add(write(vcpu, saved)));
    }
    TimedCalls calls = new TimedCalls();
    ClockData clock = ClockData.ofClock(saved.clock.value().clock());
    Timed<ClockData> set = calls.setClock(guest.guest().vm(), clock);
    Timed<ClockData> got = calls.getClock(guest.guest().vm());
    calls.make();
    if (this == FIRST_OFFSET_TO_ALL) {
      TscOffset offset = guest.vcpus().getFirst().getTscOffset();
      guest.vcpus().forEach(vcpu -> vcpu.setTscOffset(offset));
    }
    state.restore(guest.guest().vm().memory(), guest.vcpus());
    state.restorePvclock(guest.vcpus());
    guest.run();
    guest.run();
    return new Restored(guest, writes, set, got);
  }

  private static Timed<Long> write(Vcpu vcpu, Saved saved) {
    vcpu.trySetTscKhz(saved.khz);
    TimedCalls calls = new TimedCalls();
    Timed<Long> write = calls.setMsr(vcpu, Msr.IA32_TSC, saved.tscs.get(vcpu.index()).value());
    calls.make();
    return write;
  }

  @Override
  public String toString() {
    return text;
  }
}
