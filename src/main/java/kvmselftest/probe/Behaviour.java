package kvmselftest.probe;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import kvmselftest.guest.ClockGuest;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Requirement;
import kvmselftest.kvm.Vcpu;
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
      try (ClockGuest guest = ClockGuest.load(kvm)) {
        Vcpu first = restored(guest, 0);
        Vcpu second = restored(guest, 1);
        return first.getTscOffset().equals(second.getTscOffset()) ? "fixed" : "legacy";
      }
    }

    private static Vcpu restored(ClockGuest guest, int index) {
      Vcpu vcpu = guest.createVcpu(index);
      vcpu.setMsr(Msr.IA32_TSC, LATE_TSC);
      return vcpu;
    }
  };

  /** A guest's TSC after an hour or so: far more than the one second within which KVM guesses. */
  private static final long LATE_TSC = 10_000_000_000_000L;

  private static final Map<Behaviour, String> SEEN = new ConcurrentHashMap<>();

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
