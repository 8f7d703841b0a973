package kvmselftest.cli;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import kvmselftest.host.Bounds;
import kvmselftest.host.HostException;
import kvmselftest.host.Progress;
import kvmselftest.host.bochs.Bochs;
import kvmselftest.host.bochs.BochsFinder;
import kvmselftest.host.bochs.BochsModel;
import kvmselftest.host.debian.Packages;
import kvmselftest.host.debian.QemuFinder;
import kvmselftest.host.emulator.Emulator;
import kvmselftest.host.kernel.KvmVendor;
import kvmselftest.host.qemu.Qemu;
import org.jspecify.annotations.Nullable;

/** Which emulated KVM host, as {@code --host} names it. */
enum HostKind {
  /** AMD's SVM, without TSC scaling, in QEMU. */
  AMD("amd", KvmVendor.AMD) {
    @Override
    Emulator emulator(Packages packages, @Nullable Path qemu, Progress progress)
        throws HostException {
      return new Qemu(new QemuFinder(packages).find(Optional.ofNullable(qemu), progress));
    }
  },

  /** Intel's VMX with TSC scaling, in Bochs. */
  INTEL("intel", KvmVendor.INTEL) {
    @Override
    Emulator emulator(Packages packages, @Nullable Path qemu, Progress progress)
        throws HostException {
      return new Bochs(new BochsFinder(packages).find(progress), BochsModel.SKYLAKE_X);
    }
  },

  /** Intel's VMX without TSC scaling, in Bochs. */
  INTEL_NOSCALING("intel-noscaling", KvmVendor.INTEL) {
    @Override
    Emulator emulator(Packages packages, @Nullable Path qemu, Progress progress)
        throws HostException {
      return new Bochs(new BochsFinder(packages).find(progress), BochsModel.HASWELL);
    }
  };

  private final String word;
  private final KvmVendor vendor;

  HostKind(String word, KvmVendor vendor) {
    this.word = word;
    this.vendor = vendor;
  }

  /** Whose modules the kernel needs there. */
  KvmVendor vendor() {
    return vendor;
  }

  /**
   * When a run there is given up, one round of tests. Bochs emulates some tenth of the instructions
   * a second that QEMU does.
   */
  Bounds bounds() {
    return vendor == KvmVendor.AMD
        ? Bounds.STANDARD
        : new Bounds(Duration.ofMinutes(15), Duration.ofMinutes(60));
  }

  /**
   * Gets the emulator, from the machine or its packages.
   *
   * @param qemu the user's own choice of a QEMU; null for none
   */
  abstract Emulator emulator(Packages packages, @Nullable Path qemu, Progress progress)
      throws HostException;

  /** As on the command line. */
  @Override
  public String toString() {
    return word;
  }
}
