package kvmselftest.selftests;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import kvmselftest.guest.ClockGuest;
import kvmselftest.kvm.ClockData;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.TscOffset;
import kvmselftest.kvm.Vcpu;
import kvmselftest.kvm.Vm;

/**
 * A VM and its vCPUs, all of the test's own thread, whose TSC offsets are written in one order or
 * another. KVM remembers which vCPUs were last written alike (a generation); only if that is all of
 * them does it engage the master clock, which shows in the flags of KVM_GET_CLOCK.
 */
final class TscVcpus implements AutoCloseable {
  private final ClockGuest guest;
  private final List<Vcpu> vcpus = new ArrayList<>();

  /** A VM without a vCPU. */
  TscVcpus(Kvm kvm) {
    guest = ClockGuest.load(kvm);
  }

  TscVcpus(Kvm kvm, int count) {
    this(kvm);
    for (int i = 0; i < count; i++) {
      add();
    }
  }

  /** KVM_CREATE_VCPU, with the next index. */
  Vcpu add() {
    Vcpu vcpu = guest.createVcpu(vcpus.size());
    vcpus.add(vcpu);
    return vcpu;
  }

  ClockGuest guest() {
    return guest;
  }

  Vm vm() {
    return guest.vm();
  }

  List<Vcpu> all() {
    return vcpus;
  }

  Vcpu first() {
    return vcpus.getFirst();
  }

  /** One second of the guest's TSC, ticks. */
  long second() {
    return first().getTscKhz() * 1000L;
  }

  /** KVM_SET_DEVICE_ATTR on all, in the order of their indices. */
  void setOffsets(TscOffset offset) {
    for (Vcpu vcpu : vcpus) {
      vcpu.setTscOffset(offset);
    }
  }

  /** All have the offset, and KVM knows it, whatever they had before. */
  void equalise(TscOffset offset) {
    setOffsets(offset);
    setOffsets(offset);
  }

  /** KVM_RUN on each: KVM serves what it has put off until then. */
  void run() {
    for (Vcpu vcpu : vcpus) {
      guest.run(vcpu);
    }
  }

  List<TscOffset> offsets() {
    return vcpus.stream().map(Vcpu::getTscOffset).toList();
  }

  /** The offset as that of each. */
  List<TscOffset> all(TscOffset offset) {
    return vcpus.stream().map(_ -> offset).toList();
  }

  /** KVM_RUN on each, after which KVM_GET_CLOCK has all flags. */
  void assertMasterClockAfterRun(String after) {
    run();
    assertFlags(ClockData.ALL_FLAGS, "after KVM_RUN on each, after " + after);
  }

  /** KVM_RUN on each, after which KVM_GET_CLOCK has the flags of unequal offsets, mostly none. */
  void assertNoMasterClockAfterRun(String after) {
    run();
    assertFlags(KvmclockVm.flagsOfUnequalOffsets(), "after KVM_RUN on each, after " + after);
  }

  /** KVM_SET_CLOCK, which decides on the master clock too, and has no request to wait for. */
  void assertNoMasterClockAfterSetClock(String after) {
    vm().setClock(ClockData.ofClock(1_000_000_000L));
    assertFlags(KvmclockVm.flagsOfUnequalOffsets(), "after KVM_SET_CLOCK, after " + after);
  }

  /** As {@link #assertNoMasterClockAfterSetClock}, with all flags. */
  void assertMasterClockAfterSetClock(String after) {
    vm().setClock(ClockData.ofClock(1_000_000_000L));
    assertFlags(ClockData.ALL_FLAGS, "after KVM_SET_CLOCK, after " + after);
  }

  private void assertFlags(int expected, String when) {
    assertEquals(
        ClockData.flagNames(expected),
        ClockData.flagNames(vm().getClock().flags()),
        () ->
            "flags of KVM_GET_CLOCK with %d vCPUs and offsets %s, %s"
                .formatted(vcpus.size(), offsets(), when));
  }

  @Override
  public void close() {
    guest.close();
  }
}
