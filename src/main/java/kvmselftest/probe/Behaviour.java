package kvmselftest.probe;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import kvmselftest.guest.ClockGuest;
import kvmselftest.guest.WallClockWrite;
import kvmselftest.kvm.ClockData;
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
  },

  /**
   * What becomes of Hyper-V's reference TSC page that was to be filled in while the master clock
   * was off, once the clock is on again. Heals: it becomes valid. Sticky: it stays invalid until
   * the guest or its VMM writes the MSR again (from about 5.12 on).
   */
  HYPERV_BROKEN_PAGE("hyperv.broken_page", "heals sticky", Requirement.HYPERV_CLOCK) {
    @Override
    String look(Kvm kvm) {
      try (ClockGuest guest = ClockGuest.load(kvm)) {
        Vcpu[] vcpus = {guest.createVcpu(0), guest.createVcpu(1)};
        long page = ClockGuest.SPARE_PAGE;
        vcpus[0].setMsr(Msr.IA32_TSC, LATE_TSC);
        vcpus[1].setMsr(Msr.IA32_TSC, 2 * LATE_TSC);
        vcpus[0].setMsr(Msr.HV_X64_MSR_GUEST_OS_ID, 1);
        vcpus[0].setMsr(Msr.HV_X64_MSR_REFERENCE_TSC, page | 1);
        runTwice(guest, vcpus);
        long broken = guest.vm().memory().readLong(page);
        for (Vcpu vcpu : vcpus) {
          vcpu.setMsr(Msr.IA32_TSC, 3 * LATE_TSC); // the second within 1 s of the first: as equal
        }
        guest.vm().setClock(ClockData.ofClock(0));
        runTwice(guest, vcpus);
        int sequence = (int) guest.vm().memory().readLong(page);
        boolean stable = guest.vm().getClock().has(ClockData.TSC_STABLE);
        if (broken != 0 || !stable) {
          return "page %d with unequal TSCs, master clock with equal ones %s"
              .formatted(broken, stable);
        }
        return sequence == 0 ? "sticky" : "heals";
      }
    }

    private static void runTwice(ClockGuest guest, Vcpu[] vcpus) {
      for (int i = 0; i < 2 * vcpus.length; i++) {
        guest.run(vcpus[i % vcpus.length]);
      }
    }
  },

  /**
   * How KVM makes the wall clock that it gives a guest. Two readings: it reads CLOCK_REALTIME and
   * kvmclock one after the other, so that the time between the two is missing. One reading: it
   * takes both from one reading of the TSC (from 6.8 on, with the master clock).
   */
  WALL_CLOCK_EPOCH("wallclock.epoch", "two-readings one-reading", Requirement.CLOCK_REALTIME) {
    @Override
    String look(Kvm kvm) {
      try (ClockGuest guest = ClockGuest.load(kvm)) {
        Vcpu vcpu = guest.createVcpu(0);
        guest.run(vcpu);
        guest.vm().setClock(ClockData.ofClock(0));
        int exact = 0;
        int between = 0;
        long least = Long.MAX_VALUE;
        long most = Long.MIN_VALUE;
        for (int i = 0; i < WALL_CLOCKS; i++) {
          WallClockWrite write =
              WallClockWrite.byHost(vcpu, Msr.KVM_WALL_CLOCK_NEW, ClockGuest.SPARE_PAGE);
          exact += write.ofOneReading().contains(write.epoch()) ? 1 : 0;
          between += write.ofTwoReadings().contains(write.epoch()) ? 1 : 0;
          long error = write.epoch() - write.ofOneReading().from();
          least = Math.min(least, error);
          most = Math.max(most, error);
        }
        if (exact == WALL_CLOCKS) {
          return "one-reading";
        }
        // The time between two readings is never twice the same; what is constant is an error.
        boolean varies = most - least > 2;
        return between == WALL_CLOCKS && varies
            ? "two-readings"
            : "off by %+d to %+d ns, %d of %d times within the call"
                .formatted(least, most, between, WALL_CLOCKS);
      }
    }
  };

  /** How many times the wall clock is looked at. */
  private static final int WALL_CLOCKS = 20;

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
