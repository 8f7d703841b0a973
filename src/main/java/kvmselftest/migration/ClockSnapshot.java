package kvmselftest.migration;

import java.util.List;
import kvmselftest.kvm.Vcpu;
import kvmselftest.kvm.Vm;

/**
 * A guest's clocks as they were on the source: steps 1 to 3 of the kernel's recipe.
 *
 * @param reading the VM's clock and its host's at one moment
 * @param vcpus in the order of their indices
 */
public record ClockSnapshot(ClockReading reading, List<VcpuClock> vcpus) {
  /**
   * @throws IllegalArgumentException if there is no vCPU, or they are out of order
   */
  public ClockSnapshot {
    vcpus = List.copyOf(vcpus);
    if (vcpus.isEmpty()) {
      throw new IllegalArgumentException("a snapshot of no vCPU");
    }
    for (int i = 1; i < vcpus.size(); i++) {
      if (vcpus.get(i).index() <= vcpus.get(i - 1).index()) {
        throw new IllegalArgumentException(
            "vCPU %d after vCPU %d: not in order"
                .formatted(vcpus.get(i).index(), vcpus.get(i - 1).index()));
      }
    }
  }

  /**
   * Takes it. The guest is to be paused; its offsets and rates are not to change meanwhile.
   *
   * @param vcpus all of the VM's, by index, each the calling thread's
   * @param host whose TSC they count
   * @throws kvmselftest.sys.SyscallException as an ioctl fails: EINVAL without KVM_VCPU_TSC_OFFSET,
   *     before Linux 5.16
   */
  public static ClockSnapshot take(Vm vm, List<Vcpu> vcpus, HostTscRate host) {
    ClockReading reading = ClockReading.of(vm);
    return new ClockSnapshot(reading, vcpus.stream().map(vcpu -> clockOf(vcpu, host)).toList());
  }

  private static VcpuClock clockOf(Vcpu vcpu, HostTscRate host) {
    long khz = vcpu.getTscKhz();
    return new VcpuClock(
        vcpu.index(), vcpu.getTscOffset(), khz, host.countsAt(khz), host.scalingFor(khz));
  }

  /** What vCPU's TSC showed at the moment of the reading; by its place in the list. */
  public long guestTsc(int place) {
    return vcpus.get(place).guestTsc(reading.moment().hostTsc());
  }

  /** True if KVM had its master clock on, so that the reading has no error. */
  public boolean hadMasterClock() {
    return reading.origin() == ClockReading.Origin.KVM;
  }
}
