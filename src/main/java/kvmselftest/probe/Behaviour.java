package kvmselftest.probe;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import kvmselftest.guest.ClockGuest;
import kvmselftest.guest.WallClockWrite;
import kvmselftest.kvm.Capability;
import kvmselftest.kvm.ClockData;
import kvmselftest.kvm.DeviceAttr;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Requirement;
import kvmselftest.kvm.TimedCalls;
import kvmselftest.kvm.TscOffset;
import kvmselftest.kvm.Vcpu;
import kvmselftest.kvm.Vm;
import kvmselftest.sys.Errno;
import kvmselftest.x86.CounterWindow;
import kvmselftest.x86.HostTsc;
import kvmselftest.x86.Msr;
import kvmselftest.x86.PvclockPage;
import kvmselftest.x86.PvclockScale;

/**
 * Where kernels rightly differ, and which of the known behaviours this kernel has. Each is tried
 * once in a process, in a VM of its own. Stable kernels take changes back from newer ones, so that
 * a version says nothing.
 */
public enum Behaviour {
  /** The flags of KVM_GET_CLOCK and KVM_SET_CLOCK, KVM_CAP_ADJUST_CLOCK: three since Linux 5.16. */
  CLOCK_FLAGS("clock.flags", "0x2 0xe", Requirement.KVM) {
    @Override
    String look(Kvm kvm) {
      return "0x%x".formatted(kvm.checkExtension(Capability.KVM_CAP_ADJUST_CLOCK));
    }
  },

  /** The vCPU attribute KVM_VCPU_TSC_OFFSET. Absent: vCPUs on x86 have no attributes at all. */
  ATTR_TSC_OFFSET("attr.tsc_offset", "absent present", Requirement.KVM) {
    @Override
    String look(Kvm kvm) {
      int attributes = kvm.checkExtension(Capability.KVM_CAP_VCPU_ATTRIBUTES);
      String answer = answer(kvm, DeviceAttr.TSC_OFFSET);
      return switch (attributes + " " + answer) {
        case "0 EINVAL" -> "absent";
        case "1 accepted" -> "present";
        default -> "KVM_CAP_VCPU_ATTRIBUTES %d but %s".formatted(attributes, answer);
      };
    }
  },

  /** The vCPU attribute KVM_VCPU_TSC_SCALE, proposed for CPUs that scale the TSC. */
  ATTR_TSC_SCALE("attr.tsc_scale", "absent present", Requirement.TSC_CONTROL) {
    @Override
    String look(Kvm kvm) {
      String answer = answer(kvm, DeviceAttr.TSC_SCALE);
      return switch (answer) {
        case "EINVAL", "ENXIO" -> "absent";
        case "accepted" -> "present";
        default -> answer;
      };
    }
  },

  /**
   * Whether a vCPU's TSC offset stays as it was written, which KVM lets it if it trusts the TSC.
   */
  TSC_STABLE("tsc.stable", "stable|unstable", Requirement.TSC_OFFSET) {
    @Override
    String look(Kvm kvm) {
      try (Vm vm = kvm.createVm(PAGE_SIZE)) {
        Vcpu vcpu = vm.createVcpu(0);
        TscOffset written = new TscOffset(-1_234_567_890_123L);
        vcpu.setTscOffset(written);
        vcpu.getRegs(); // loads the vCPU, when an unstable TSC's offset is computed anew
        TscOffset read = vcpu.getTscOffset();
        if (read.equals(written)) {
          return "stable";
        }
        return trusted() ? "moved by %d".formatted(read.ticks() - written.ticks()) : "unstable";
      }
    }
  },

  /** Whether KVM derives kvmclock from the TSC (the master clock), which takes a clocksource. */
  MC_POSSIBLE("mc.possible", "yes|no", Requirement.KVM) {
    @Override
    String look(Kvm kvm) {
      try (Vm vm = kvm.createVm(PAGE_SIZE)) {
        vm.createVcpu(0);
        vm.setClock(ClockData.ofClock(0));
        int flags = vm.getClock().flags();
        if (flags == kvm.checkExtension(Capability.KVM_CAP_ADJUST_CLOCK)) {
          return "yes";
        }
        return flags == 0 && !trusted() ? "no" : "flags " + ClockData.flagNames(flags);
      }
    }
  },

  /** Whether the CPU can run a guest's TSC at another rate than the host's. */
  SCALING("scaling", "yes|no", Requirement.KVM) {
    @Override
    String look(Kvm kvm) {
      int answer = kvm.checkExtension(Capability.KVM_CAP_TSC_CONTROL);
      return switch (answer) {
        case 0 -> "no";
        case 1 -> "yes";
        default -> "KVM_CAP_TSC_CONTROL " + answer;
      };
    }
  },

  /**
   * KVM_SET_TSC_KHZ of a VM that has a vCPU, for which it comes too late. Accepted: it holds for
   * vCPUs to come ("Reject KVM_SET_TSC_KHZ VM ioctl when vCPUs have been created").
   */
  KHZ_VM_AFTER_VCPU("khz.vm_after_vcpu", "accepted EINVAL", Requirement.VM_TSC_KHZ) {
    @Override
    String look(Kvm kvm) {
      try (Vm vm = kvm.createVm(PAGE_SIZE)) {
        int before = vm.getTscKhz();
        vm.createVcpu(0);
        String answer = said(vm.trySetTscKhz(before + 1L));
        int expected = answer.equals("accepted") ? before + 1 : before;
        return vm.getTscKhz() == expected
            ? answer
            : "%s, and the rate %d kHz is then %d".formatted(answer, before, vm.getTscKhz());
      }
    }
  },

  /**
   * KVM_SET_TSC_KHZ of a vCPU, below the host's rate, where the TSC is not scaled: EINVAL. Sticks:
   * KVM_GET_TSC_KHZ then gives that rate all the same. Kept: it does not; no kernel does so yet.
   */
  KHZ_REFUSED("khz.refused", "sticks kept", Requirement.NO_TSC_CONTROL) {
    @Override
    String look(Kvm kvm) {
      try (Vm vm = kvm.createVm(PAGE_SIZE)) {
        Vcpu vcpu = vm.createVcpu(0);
        int before = vcpu.getTscKhz();
        int refused = before / 2;
        String answer = said(vcpu.trySetTscKhz(refused));
        int after = vcpu.getTscKhz();
        if (answer.equals("EINVAL") && after == refused) {
          return "sticks";
        }
        return answer.equals("EINVAL") && after == before
            ? "kept"
            : "%s for %d kHz, and the rate %d is then %d".formatted(answer, refused, before, after);
      }
    }
  },

  /**
   * KVM_SET_TSC_KHZ of a vCPU whose TSC was set. Jump: the offset stays, so that the TSC is as if
   * it had always run at the new rate. Continuous: it goes on from where it was ("Re-synchronize
   * TSC after KVM_SET_TSC_KHZ").
   */
  KHZ_RESYNC("khz.resync", "jump continuous", Requirement.TSC_CONTROL) {
    @Override
    String look(Kvm kvm) {
      try (Vm vm = kvm.createVm(PAGE_SIZE)) {
        Vcpu vcpu = vm.createVcpu(0);
        TscOffset offset = new TscOffset(LATE_TSC);
        vcpu.setTscOffset(offset);
        int khz = vcpu.getTscKhz() / 2;
        long hostBefore = HostTsc.read();
        long before = vcpu.getMsr(Msr.IA32_TSC);
        String answer = said(vcpu.trySetTscKhz(khz));
        if (vcpu.getTscOffset().equals(offset)) {
          return answer.equals("accepted") ? "jump" : answer;
        }
        long advance = vcpu.getMsr(Msr.IA32_TSC) - before;
        return advance >= 0 && advance <= HostTsc.read() - hostBefore
            ? "continuous"
            : "the TSC moved by " + advance;
      }
    }
  },

  /**
   * What KVM remembers as the last TSC write when a vCPU is created. Legacy: 0, so that vCPUs which
   * are created and restored one by one come apart. Fixed: the value ("KVM: x86: Improve
   * synchronization in kvm_synchronize_tsc()").
   */
  SYNC_BOOKKEEPING(
      "sync.bookkeeping", "legacy fixed", Requirement.TSC_OFFSET, Requirement.TSC_STABLE) {
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
  SLOP_YOUNG("slop.young", "snaps lands", Requirement.TSC_OFFSET, Requirement.TSC_STABLE) {
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
  },

  /**
   * What becomes of Hyper-V's reference TSC page that was to be filled in while the master clock
   * was off, once the clock is on again. Heals: it becomes valid. Sticky: it stays invalid until
   * the guest or its VMM writes the MSR again (from about 5.12 on).
   */
  HYPERV_BROKEN_PAGE(
      "hyperv.broken_page", "heals sticky", Requirement.HYPERV_CLOCK, Requirement.TSC_CLOCKSOURCE) {
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
  WALL_CLOCK_EPOCH(
      "wallclock.epoch",
      "two-readings one-reading",
      Requirement.CLOCK_REALTIME,
      Requirement.TSC_CLOCKSOURCE) {
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

  /** Separated by blanks, or by | if none is the newer; an enum holds nothing that can change. */
  private final String known;

  private final Requirement requirement;
  private final Requirement also;

  Behaviour(String key, String known, Requirement requirement) {
    this(key, known, requirement, requirement);
  }

  Behaviour(String key, String known, Requirement requirement, Requirement also) {
    this.key = key;
    this.known = known;
    this.requirement = requirement;
    this.also = also;
  }

  /** Its name in reports, such as {@code sync.bookkeeping}. */
  public String key() {
    return key;
  }

  /** The known behaviours, from the oldest kernel's to the newest. */
  public List<String> known() {
    return List.of(known.split("[ |]"));
  }

  /** Of the known behaviours the newest; several if they depend on the machine and not on age. */
  public List<String> newest() {
    return List.of(known.substring(known.lastIndexOf(' ') + 1).split("\\|"));
  }

  /** Why it cannot be tried here; empty if it can. */
  public Optional<String> unmet() {
    return Requirement.KVM.unmet().or(requirement::unmet).or(also::unmet);
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

  /** Whether the kernel keeps its own time by the TSC. */
  private static boolean trusted() {
    return Requirement.TSC_CLOCKSOURCE.unmet().isEmpty();
  }

  private static String answer(Kvm kvm, DeviceAttr attr) {
    try (Vm vm = kvm.createVm(PAGE_SIZE)) {
      return said(vm.createVcpu(0).tryHasDeviceAttr(attr));
    }
  }

  private static String said(Optional<Errno> answer) {
    return answer.map(Errno::name).orElse("accepted");
  }
}
