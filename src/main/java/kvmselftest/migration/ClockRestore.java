package kvmselftest.migration;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import kvmselftest.kvm.ClockData;
import kvmselftest.kvm.TimedCalls;
import kvmselftest.kvm.TimedCalls.Timed;
import kvmselftest.kvm.TscOffset;
import kvmselftest.kvm.Vcpu;
import kvmselftest.kvm.Vm;
import kvmselftest.sys.Errno;

/**
 * Gives a VM the clocks of a snapshot: steps 4 to 7 of the kernel's recipe. All vCPUs are to have
 * been created, and not to run.
 */
public final class ClockRestore {
  private final Vm vm;
  private final List<Vcpu> vcpus;
  private final HostTscRate host;

  /**
   * @param vcpus all of the VM's, by index, each the calling thread's
   * @param host whose TSC they count
   */
  public ClockRestore(Vm vm, List<Vcpu> vcpus, HostTscRate host) {
    this.vm = vm;
    this.vcpus = List.copyOf(vcpus);
    this.host = host;
  }

  /**
   * Restores. May be done again with the same snapshot: then the guest's clocks show the same, but
   * for what {@link RestoredClocks} says each time may be off.
   *
   * @throws MigrationException if the VM has other vCPUs than the snapshot, or cannot have their
   *     rates; nothing is changed then
   * @throws kvmselftest.sys.SyscallException as an ioctl fails
   */
  public RestoredClocks restore(ClockSnapshot snapshot, Downtime downtime) {
    requireSameVcpus(snapshot);
    setRates(snapshot);
    TimedCalls calls = new TimedCalls();
    Timed<ClockData> set = calls.setClock(vm, clock(snapshot.reading(), downtime)); // step 4
    calls.make();
    ClockReading now = ClockReading.of(vm); // step 5
    List<VcpuClock> restored =
        snapshot.vcpus().stream().map(vcpu -> move(snapshot, vcpu, now)).toList(); // step 6
    for (int i = 0; i < restored.size(); i++) { // step 7: every vCPU, also one that has it already
      vcpus.get(i).setTscOffset(restored.get(i).offset());
    }
    return new RestoredClocks(snapshot, downtime, set.hostTsc(), now, restored);
  }

  /** The flags of KVM_GET_CLOCK are not passed back: what they said is of another host. */
  private static ClockData clock(ClockReading reading, Downtime downtime) {
    ClockData clock = ClockData.ofClock(reading.moment().kvmclock());
    return switch (downtime) {
      case COUNTED -> clock.atRealtime(reading.realtime());
      case HIDDEN -> clock;
    };
  }

  private VcpuClock move(ClockSnapshot snapshot, VcpuClock vcpu, ClockReading now) {
    TscScaling scaling = host.scalingFor(vcpu.tscKhz());
    TscOffset offset =
        ClockArithmetic.newOffset(snapshot.reading().moment(), vcpu, now.moment(), scaling);
    return new VcpuClock(
        vcpu.index(), offset, vcpu.tscKhz(), host.countsAt(vcpu.tscKhz()), scaling);
  }

  private void requireSameVcpus(ClockSnapshot snapshot) {
    List<Integer> wanted = snapshot.vcpus().stream().map(VcpuClock::index).toList();
    List<Integer> there = vcpus.stream().map(Vcpu::index).toList();
    if (!wanted.equals(there)) {
      throw new MigrationException(
          "the snapshot is of vCPUs %s, and the VM has %s".formatted(wanted, there));
    }
  }

  /** KVM_SET_TSC_KHZ comes first: after the offset it would make the TSC jump. */
  private void setRates(ClockSnapshot snapshot) {
    List<Long> before = vcpus.stream().map(vcpu -> (long) vcpu.getTscKhz()).toList();
    List<Vcpu> touched = new ArrayList<>();
    for (int i = 0; i < vcpus.size(); i++) {
      long wanted = snapshot.vcpus().get(i).tscKhz();
      if (before.get(i) == wanted) {
        continue;
      }
      touched.add(vcpus.get(i));
      Optional<Errno> refusal = vcpus.get(i).trySetTscKhz(wanted);
      if (refusal.isPresent()) {
        // One that is refused sticks all the same, on kernels up to 7.2 at least.
        touched.forEach(vcpu -> vcpu.trySetTscKhz(before.get(vcpus.indexOf(vcpu))));
        throw new MigrationException(
            ("KVM_SET_TSC_KHZ of %s to the snapshot's %d kHz: %s; the host's TSC has %d kHz: use a"
                    + " host whose rate is within %d ppm, or one that scales (KVM_CAP_TSC_CONTROL)")
                .formatted(
                    vcpus.get(i), wanted, refusal.get().name(), host.khz(), host.tolerancePpm()));
      }
    }
  }
}
