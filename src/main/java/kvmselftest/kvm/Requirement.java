package kvmselftest.kvm;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import kvmselftest.sys.Errno;
import kvmselftest.x86.Msr;

/**
 * What a selftest needs of the machine it runs on. Unmet, the test is skipped with the reason:
 * upstream's TEST_REQUIRE. Each is looked at once in a process.
 */
public enum Requirement {
  /** A usable /dev/kvm. */
  KVM {
    @Override
    Optional<String> look() {
      try (Kvm kvm = Kvm.open()) {
        kvm.requireUsable();
        return Optional.empty();
      } catch (KvmUnavailableException e) {
        return Optional.of(e.reason());
      }
    }
  },

  /** The vCPU attribute KVM_VCPU_TSC_OFFSET. */
  TSC_OFFSET {
    @Override
    Optional<String> look() {
      try (Kvm kvm = Kvm.open();
          Vm vm = kvm.createVm(GuestMemory.PAGE_SIZE);
          Vcpu vcpu = vm.createVcpu(0)) {
        return vcpu.tryHasDeviceAttr(DeviceAttr.TSC_OFFSET).map(Requirement::withoutTscOffset);
      }
    }
  },

  /** KVM_CLOCK_REALTIME in KVM_GET_CLOCK and KVM_SET_CLOCK. */
  CLOCK_REALTIME {
    @Override
    Optional<String> look() {
      try (Kvm kvm = Kvm.open()) {
        int flags = kvm.checkExtension(Capability.KVM_CAP_ADJUST_CLOCK);
        return (flags & ClockData.REALTIME) != 0
            ? Optional.empty()
            : Optional.of(
                "KVM_CAP_ADJUST_CLOCK is 0x%x, without KVM_CLOCK_REALTIME: use Linux 5.16 or later"
                    .formatted(flags));
      }
    }
  },

  /** TSC scaling: a guest's TSC may run at another rate than the host's. */
  TSC_CONTROL {
    @Override
    Optional<String> look() {
      try (Kvm kvm = Kvm.open()) {
        return kvm.checkExtension(Capability.KVM_CAP_TSC_CONTROL) != 0
            ? Optional.empty()
            : Optional.of("no TSC scaling on this CPU: KVM_CAP_TSC_CONTROL is 0");
      }
    }
  },

  /** No TSC scaling, which leaves KVM the host's rate and refusals. */
  NO_TSC_CONTROL {
    @Override
    Optional<String> look() {
      return TSC_CONTROL.look().isPresent()
          ? Optional.empty()
          : Optional.of("this CPU scales the TSC: the test is of what KVM does without");
    }
  },

  /** KVM_GET_TSC_KHZ and KVM_SET_TSC_KHZ of a VM. */
  VM_TSC_KHZ {
    @Override
    Optional<String> look() {
      try (Kvm kvm = Kvm.open();
          Vm vm = kvm.createVm(GuestMemory.PAGE_SIZE)) {
        return vm.tryGetTscKhz()
            .map(
                errno ->
                    "KVM_GET_TSC_KHZ of a VM: %s: use Linux 5.18 or later".formatted(errno.name()));
      }
    }
  },

  /** A guest can be kept from features of KVM's that its CPUID does not tell of. */
  ENFORCED_PV_FEATURES {
    @Override
    Optional<String> look() {
      Capability capability = Capability.KVM_CAP_ENFORCE_PV_FEATURE_CPUID;
      try (Kvm kvm = Kvm.open()) {
        return kvm.checkExtension(capability) != 0
            ? Optional.empty()
            : Optional.of(
                "%s is 0: use Linux %s or later".formatted(capability, capability.since()));
      }
    }
  },

  /** Hyper-V's MSRs for the guest's clock. */
  HYPERV_CLOCK {
    @Override
    Optional<String> look() {
      try (Kvm kvm = Kvm.open();
          Vm vm = kvm.createVm(GuestMemory.PAGE_SIZE);
          Vcpu vcpu = vm.createVcpu(0)) {
        return vcpu.trySetMsr(Msr.HV_X64_MSR_GUEST_OS_ID.index(), 1)
            ? Optional.empty()
            : Optional.of(
                "KVM_SET_MSRS of %s is refused: use a kernel with CONFIG_KVM_HYPERV"
                    .formatted(Msr.HV_X64_MSR_GUEST_OS_ID));
      }
    }
  },

  /** Two CPUs that run at the same time, so that host and guest can watch each other. */
  PARALLEL_CPUS {
    @Override
    Optional<String> look() {
      return ParallelCpus.missing();
    }
  },

  /** A clocksource that lets KVM derive kvmclock from the TSC. */
  TSC_CLOCKSOURCE {
    @Override
    Optional<String> look() {
      return Clocksource.notBasedOnTsc(Clocksource.CURRENT);
    }
  },

  /**
   * A TSC that the kernel trusts: a vCPU's offset stays as it was written. Where it does not, KVM
   * computes it anew each time it loads the vCPU. A kernel that keeps its own time by the TSC
   * trusts it, whatever becomes of an offset.
   */
  TSC_STABLE {
    @Override
    Optional<String> look() {
      Optional<String> clocksource = TSC_CLOCKSOURCE.look();
      return clocksource.isEmpty() || (TSC_OFFSET.look().isEmpty() && offsetStays())
          ? Optional.empty()
          : clocksource.map(
              reason -> "KVM does not trust the host's TSC, and offsets do not last: " + reason);
    }
  };

  private static final Map<Requirement, Optional<String>> SEEN = new ConcurrentHashMap<>();

  /** Why it is not met, with what to do about it; empty if it is. Any thread. */
  public Optional<String> unmet() {
    return SEEN.computeIfAbsent(this, Requirement::look);
  }

  abstract Optional<String> look();

  private static boolean offsetStays() {
    TscOffset written = new TscOffset(-1_234_567_890_123L);
    try (Kvm kvm = Kvm.open();
        Vm vm = kvm.createVm(GuestMemory.PAGE_SIZE);
        Vcpu vcpu = vm.createVcpu(0)) {
      vcpu.setTscOffset(written);
      vcpu.getRegs(); // loads the vCPU
      return vcpu.getTscOffset().equals(written);
    }
  }

  private static String withoutTscOffset(Errno errno) {
    return "KVM_HAS_DEVICE_ATTR of %s: %s: use Linux 5.16 or later"
        .formatted(DeviceAttr.TSC_OFFSET, errno.name());
  }
}
