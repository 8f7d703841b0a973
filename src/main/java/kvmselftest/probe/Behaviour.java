package kvmselftest.probe;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import kvmselftest.guest.ClockGuest;
import kvmselftest.kvm.ClockData;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Requirement;
import kvmselftest.kvm.Vcpu;
import kvmselftest.x86.Msr;
import kvmselftest.x86.PvclockPage;
import kvmselftest.x86.PvclockScale;

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
  },

  /**
   * The rate, kHz, at which KVM's pvclock pages count. Snapshot: the one that the host's TSC was
   * thought to have when kvm.ko was loaded, which the kernel may have refined since, by 1 % at most
   * (arch/x86/kernel/tsc.c). Current: that of KVM_GET_TSC_KHZ.
   */
  CLOCK_KHZ("clock.khz", "snapshot current", Requirement.TSC_CLOCKSOURCE) {
    @Override
    String look(Kvm kvm) {
      try (ClockGuest guest = ClockGuest.load(kvm)) {
        Vcpu vcpu = guest.createVcpu(0);
        guest.enableKvmclock(vcpu);
        PvclockScale scale = guest.pvclockPage(vcpu).scale();
        long khz = vcpu.getTscKhz();
        if (scale.equals(PvclockScale.ofKhz(khz))) {
          return "current";
        }
        boolean refined = scale.khz() > 0 && Math.abs(scale.khz() - khz) <= khz / 100;
        return refined ? "snapshot" : "%s with a TSC of %d kHz".formatted(scale, khz);
      }
    }
  },

  /**
   * When the master clock comes on. Legacy: as the first vCPU runs. v6: before ("Cleaning up the
   * KVM clock mess", version 6).
   */
  MC_EARLY("mc.early", "legacy v6", Requirement.TSC_CLOCKSOURCE) {
    @Override
    String look(Kvm kvm) {
      try (ClockGuest guest = ClockGuest.load(kvm)) {
        guest.createVcpu(0);
        int flags = guest.vm().getClock().flags();
        if (flags == 0) {
          return "legacy";
        }
        return flags == ClockData.ALL_FLAGS ? "v6" : ClockData.flagNames(flags);
      }
    }
  },

  /**
   * Whether the master clock stays on when TSC offsets differ; no page says then that it is stable.
   * Off: it goes off. On: it does not ("Cleaning up the KVM clock mess", version 6).
   */
  MC_UNEQUAL("mc.unequal", "off on", Requirement.TSC_CLOCKSOURCE) {
    @Override
    String look(Kvm kvm) {
      try (ClockGuest guest = ClockGuest.load(kvm)) {
        Vcpu first = guest.createVcpu(0);
        Vcpu second = guest.createVcpu(1);
        guest.enableKvmclock(first);
        guest.enableKvmclock(second);
        second.setMsr(Msr.IA32_TSC, LATE_TSC);
        guest.run(second);
        guest.run(first);
        int flags = guest.vm().getClock().flags();
        boolean stable =
            guest.pvclockPage(first).has(PvclockPage.TSC_STABLE)
                || guest.pvclockPage(second).has(PvclockPage.TSC_STABLE);
        if (stable || (flags != 0 && flags != ClockData.ALL_FLAGS)) {
          return "%s, stable bit %s".formatted(ClockData.flagNames(flags), stable ? "on" : "off");
        }
        return flags == 0 ? "off" : "on";
      }
    }
  },

  /**
   * What a vCPU that is added to a running VM does to the master clock. Resnapshot: a new pair of
   * TSC and kvmclock for all pages. Kept: nothing ("KVM: x86: Don't unnecessarily force masterclock
   * update on vCPU hotplug", c52ffadc65e2).
   */
  MC_HOTPLUG("mc.hotplug", "resnapshot kept", Requirement.TSC_CLOCKSOURCE) {
    @Override
    String look(Kvm kvm) {
      try (ClockGuest guest = ClockGuest.load(kvm)) {
        Vcpu first = guest.createVcpu(0);
        guest.enableKvmclock(first);
        guest.run(first);
        PvclockPage before = guest.pvclockPage(first);
        guest.run(guest.createVcpu(1));
        guest.run(first);
        PvclockPage after = guest.pvclockPage(first);
        boolean sameTsc = before.tscTimestamp() == after.tscTimestamp();
        boolean sameTime = before.systemTime() == after.systemTime();
        if (sameTsc != sameTime) {
          return "torn: %s became %s".formatted(before, after);
        }
        return sameTsc ? "kept" : "resnapshot";
      }
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
