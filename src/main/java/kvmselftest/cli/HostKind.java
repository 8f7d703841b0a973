package kvmselftest.cli;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import kvmselftest.host.Accelerator;
import kvmselftest.host.Bounds;
import kvmselftest.host.HostException;
import kvmselftest.host.Progress;
import kvmselftest.host.bochs.Bochs;
import kvmselftest.host.bochs.BochsFinder;
import kvmselftest.host.bochs.BochsModel;
import kvmselftest.host.debian.Packages;
import kvmselftest.host.debian.QemuFinder;
import kvmselftest.host.emulator.Emulator;
import kvmselftest.host.kernel.CpuVendor;
import kvmselftest.host.qemu.Qemu;
import org.jspecify.annotations.Nullable;

/** Which emulated KVM host, as {@code --host} names it. */
enum HostKind {
  /** AMD's SVM, without TSC scaling, in QEMU. */
  AMD("amd", CpuVendor.AMD) {
    @Override
    Emulator emulator(
        Packages packages, Accelerator accelerator, @Nullable Path qemu, Progress progress)
        throws HostException {
      QemuFinder finder = new QemuFinder(packages);
      Optional<Path> named = Optional.ofNullable(qemu);
      return new Qemu(
          accelerator.isKvm() ? finder.findForKvm(named, progress) : finder.find(named, progress),
          accelerator);
    }
  },

  /** Intel's VMX with TSC scaling, in Bochs. */
  INTEL("intel", CpuVendor.INTEL) {
    @Override
    Emulator emulator(
        Packages packages, Accelerator accelerator, @Nullable Path qemu, Progress progress)
        throws HostException {
      return new Bochs(new BochsFinder(packages).find(progress), BochsModel.SKYLAKE_X);
    }
  },

  /** Intel's VMX without TSC scaling, in Bochs. */
  INTEL_NOSCALING("intel-noscaling", CpuVendor.INTEL) {
    @Override
    Emulator emulator(
        Packages packages, Accelerator accelerator, @Nullable Path qemu, Progress progress)
        throws HostException {
      return new Bochs(new BochsFinder(packages).find(progress), BochsModel.HASWELL);
    }
  };

  private final String word;
  private final CpuVendor vendor;

  HostKind(String word, CpuVendor vendor) {
    this.word = word;
    this.vendor = vendor;
  }

  /** Whose modules the kernel needs there. */
  CpuVendor vendor() {
    return vendor;
  }

  /** The same when that accelerator runs QEMU's CPUs, which are then of this machine's vendor. */
  CpuVendor vendor(Accelerator accelerator) {
    return this == AMD ? accelerator.vendor() : vendor;
  }

  /**
   * When a run there is given up, one round of tests. Bochs emulates some tenth of the instructions
   * a second that QEMU does.
   */
  Bounds bounds() {
    return vendor == CpuVendor.AMD
        ? Bounds.STANDARD
        : new Bounds(Duration.ofMinutes(15), Duration.ofMinutes(60), Duration.ofMinutes(10));
  }

  /**
   * Gets the emulator, from the machine or its packages.
   *
   * @param accelerator what runs QEMU's CPUs
   * @param qemu the user's own choice of a QEMU; null for none
   */
  abstract Emulator emulator(
      Packages packages, Accelerator accelerator, @Nullable Path qemu, Progress progress)
      throws HostException;

  /** As on the command line. */
  @Override
  public String toString() {
    return word;
  }
}
