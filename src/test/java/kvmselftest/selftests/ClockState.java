package kvmselftest.selftests;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import kvmselftest.guest.ClockGuest;
import kvmselftest.kvm.ClockData;
import kvmselftest.kvm.TscOffset;
import kvmselftest.kvm.Vcpu;
import kvmselftest.x86.Msr;
import kvmselftest.x86.PvclockPage;

/**
 * The clocks of a guest whose vCPUs have equal offsets and kvmclock, as they are at a moment: what
 * an ioctl that is refused, or that is about something else, must leave as it is. All of it is
 * compared bit for bit, kvmclock too: with the master clock it is a function of the TSC.
 */
final class ClockState {
  private static final TscOffset OFFSET = new TscOffset(-123_456_789_012L);

  private final ClockGuest guest;
  private final List<Vcpu> vcpus;
  private final List<OfVcpu> before;

  private ClockState(ClockGuest guest, List<Vcpu> vcpus) {
    this.guest = guest;
    this.vcpus = vcpus;
    this.before = now();
  }

  /** A vCPU's offset, rate, IA32_TSC_ADJUST, and pvclock page but for its version. */
  private record OfVcpu(TscOffset offset, int khz, long adjust, PvclockPage page) {}

  /** Brings the vCPUs of a guest into a state in which the master clock is on, and remembers it. */
  static ClockState settle(ClockGuest guest, List<Vcpu> vcpus) {
    for (Vcpu vcpu : vcpus) {
      vcpu.trySetTscKhz(0);
    }
    for (Vcpu vcpu : vcpus) {
      vcpu.setTscOffset(OFFSET);
    }
    for (Vcpu vcpu : vcpus) { // again: each but the last has to be written after they differed
      vcpu.setTscOffset(OFFSET);
    }
    // Some kernels request an update of the master clock with each write: served by the first run.
    for (Vcpu vcpu : vcpus) {
      guest.enableKvmclock(vcpu);
    }
    ClockState state = new ClockState(guest, vcpus);
    state.assertUnchanged("all offsets were made equal and all vCPUs have run");
    return state;
  }

  private List<OfVcpu> now() {
    for (Vcpu vcpu : vcpus) {
      guest.run(vcpu); // KVM puts off updates until then
    }
    List<OfVcpu> all = new ArrayList<>();
    for (Vcpu vcpu : vcpus) {
      all.add(
          new OfVcpu(
              vcpu.getTscOffset(),
              vcpu.getTscKhz(),
              vcpu.getMsr(Msr.IA32_TSC_ADJUST),
              withoutVersion(guest.pvclockPage(vcpu))));
    }
    return all;
  }

  private static PvclockPage withoutVersion(PvclockPage page) {
    return new PvclockPage(
        0,
        page.tscTimestamp(),
        page.systemTime(),
        page.tscToSystemMul(),
        page.tscShift(),
        page.flags());
  }

  /**
   * Runs every vCPU once and compares.
   *
   * @param event what happened meanwhile, for the message
   */
  void assertUnchanged(String event) {
    List<OfVcpu> after = now();
    for (Vcpu vcpu : vcpus) {
      assertEquals(
          before.get(vcpu.index()), after.get(vcpu.index()), () -> vcpu + " after " + event);
    }
    ClockData got = guest.vm().getClock();
    assertEquals(
        ClockData.flagNames(ClockData.ALL_FLAGS),
        ClockData.flagNames(got.flags()),
        () -> "flags of KVM_GET_CLOCK after " + event);
    for (Vcpu vcpu : vcpus) {
      OfVcpu state = before.get(vcpu.index());
      assertEquals(
          state.page().nanosAt(state.offset().guestTsc(got.hostTsc())),
          got.clock(),
          () ->
              "KVM_GET_CLOCK after %s (%s) against %s's page at that host TSC, ns"
                  .formatted(event, got, vcpu));
    }
  }

  /** As {@link #assertUnchanged}, for a vCPU that now has another rate within the tolerance. */
  void assertUnchangedButRate(Vcpu vcpu, int khz, String event) {
    OfVcpu old = before.get(vcpu.index());
    before.set(vcpu.index(), new OfVcpu(old.offset(), khz, old.adjust(), old.page()));
    try {
      assertUnchanged(event);
    } finally {
      before.set(vcpu.index(), old);
    }
  }
}
