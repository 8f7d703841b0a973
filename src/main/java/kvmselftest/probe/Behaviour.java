package kvmselftest.probe;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Requirement;
import kvmselftest.kvm.TimedCalls;
import kvmselftest.kvm.TscOffset;
import kvmselftest.kvm.Vcpu;
import kvmselftest.kvm.Vm;
import kvmselftest.x86.CounterWindow;
import kvmselftest.x86.HostTsc;
import kvmselftest.x86.Msr;

/**
 * Where kernels rightly differ, and which of the known behaviours this kernel has. Each is tried
 * once in a process, in a VM of its own. Stable kernels take changes back from newer ones, so that
 * a version says nothing.
 */
public enum Behaviour {
  /**
   * What KVM remembers as the last TSC write when a vCPU is created. Legacy: 0, so that vCPUs which
   * are created and restored one by one come apart. Fixed: the value ("KVM: x86: Improve
   * synchronization in kvm_synchronize_tsc()").
   */
  SYNC_BOOKKEEPING("sync.bookkeeping", "legacy fixed", Requirement.TSC_OFFSET) {
    @Override
    String look(Kvm kvm) {
      try (Vm vm = kvm.createVm(PAGE_SIZE)) {
        Vcpu first = vm.createVcpu(0);
        first.setMsr(Msr.IA32_TSC, LATE_TSC);
        TscOffset offset = first.getTscOffset();
        Vcpu second = vm.createVcpu(1);
        TscOffset created = second.getTscOffset();
        CounterWindow own = offsetsByWriting(second, LATE_TSC);
        TscOffset written = second.getTscOffset();
        if (created.equals(offset) && written.equals(offset)) {
          return "fixed";
        }
        if (created.equals(offset) && own.contains(written.ticks())) {
          return "legacy";
        }
        return "vCPU 0 %s, vCPU 1 created with %s, after the write %s, expected vCPU 0's or in %s"
            .formatted(offset, created, written, own);
      }
    }
  },

  /**
   * What becomes of a host's first write of IA32_TSC in a VM, of a value within one second of what
   * a new vCPU has. Snaps: the vCPU keeps the offset it was created with. Lands: it takes effect
   * (6.7, "KVM: x86: Don't sync user-written TSC against startup values").
   */
  SLOP_YOUNG("slop.young", "snaps lands", Requirement.TSC_OFFSET) {
    @Override
    String look(Kvm kvm) {
      try (Vm vm = kvm.createVm(PAGE_SIZE)) {
        long before = HostTsc.read();
        Vcpu vcpu = vm.createVcpu(0);
        TscOffset created = vcpu.getTscOffset();
        CounterWindow own = offsetsByWriting(vcpu, vcpu.getTscKhz() * 500L);
        TscOffset written = vcpu.getTscOffset();
        if (HostTsc.read() - before > vcpu.getTscKhz() * 1000L) {
          return look(kvm); // held up for so long that the VM was no longer young
        }
        if (written.equals(created)) {
          return "snaps";
        }
        return own.contains(written.ticks())
            ? "lands"
            : "created with %s, after the write %s, expected the same or in %s"
                .formatted(created, written, own);
      }
    }
  };

  /** A guest's TSC after an hour or so: far more than the one second within which KVM guesses. */
  private static final long LATE_TSC = 10_000_000_000_000L;

  private static final long PAGE_SIZE = 4096;

  private static final Map<Behaviour, String> SEEN = new ConcurrentHashMap<>();

  /** The host writes IA32_TSC: the offsets that make it this value at a moment of the call. */
  private static CounterWindow offsetsByWriting(Vcpu vcpu, long value) {
    TimedCalls calls = new TimedCalls();
    CounterWindow target = new CounterWindow(value, value);
    TimedCalls.Timed<Long> write = calls.setMsr(vcpu, Msr.IA32_TSC, value);
    calls.make();
    return target.minus(write.hostTsc());
  }

  private final String key;

  /** Separated by blanks, since an enum holds nothing that can change. */
  private final String known;

  private final Requirement requirement;

  Behaviour(String key, String known, Requirement requirement) {
    this.key = key;
    this.known = known;
    this.requirement = requirement;
  }

  /** Its name in reports, such as {@code sync.bookkeeping}. */
  public String key() {
    return key;
  }

  /** The known behaviours, from the oldest kernel's to the newest. */
  public List<String> known() {
    return List.of(known.split(" "));
  }

  /** Why it cannot be tried here; empty if it can. */
  public Optional<String> unmet() {
    return Requirement.KVM.unmet().or(requirement::unmet);
  }

  /**
   * What this kernel does: one of {@link #known()}, or what was seen instead. Any thread.
   *
   * @throws RuntimeException as the ioctls of the trial fail
   */
  public String seen() {
    return SEEN.computeIfAbsent(this, Behaviour::look);
  }

  public boolean is(String behaviour) {
    if (!known().contains(behaviour)) {
      throw new IllegalArgumentException(key + " is never " + behaviour + " but one of " + known());
    }
    return seen().equals(behaviour);
  }

  private String look() {
    try (Kvm kvm = Kvm.open()) {
      return look(kvm);
    }
  }

  abstract String look(Kvm kvm);
}
