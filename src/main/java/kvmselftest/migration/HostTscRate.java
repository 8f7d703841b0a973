package kvmselftest.migration;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import kvmselftest.kvm.Capability;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Vcpu;
import kvmselftest.kvm.VendorModule;
import kvmselftest.kvm.Vm;

/**
 * The rate of a host's TSC, and how KVM makes another of it for a guest (arch/x86/kvm/x86.c,
 * kvm_set_tsc_khz()).
 *
 * @param khz 1 to 2^32 - 1
 * @param fractionBits of the CPU's scaling; 0 if it has none
 * @param tolerancePpm how far, in millionths, a guest's rate may be from the host's without being
 *     scaled
 */
public record HostTscRate(long khz, int fractionBits, long tolerancePpm) {
  private static final Path MODULES = Path.of("/sys/module");
  private static final long DEFAULT_TOLERANCE_PPM = 250;
  private static final long PAGE_SIZE = 4096;
  private static final long PPM = 1_000_000;

  /** Asks KVM, by a VM that is dropped again. */
  public static HostTscRate of(Kvm kvm) {
    try (Vm vm = kvm.createVm(PAGE_SIZE);
        Vcpu vcpu = vm.createVcpu(0)) {
      return new HostTscRate(vcpu.getTscKhz(), fractionBits(kvm), tolerance());
    }
  }

  private static int fractionBits(Kvm kvm) {
    if (kvm.checkExtension(Capability.KVM_CAP_TSC_CONTROL) == 0) {
      return 0;
    }
    return VendorModule.isIntel() ? TscScaling.INTEL : TscScaling.AMD;
  }

  private static long tolerance() {
    try {
      Path parameter = MODULES.resolve("kvm/parameters/tsc_tolerance_ppm");
      return Long.parseLong(Files.readString(parameter).strip());
    } catch (IOException | NumberFormatException e) {
      return DEFAULT_TOLERANCE_PPM; // no sysfs, or a kernel that has given the parameter up
    }
  }

  /** What KVM makes of the host's TSC for a guest that was promised this rate, kHz. */
  public TscScaling scalingFor(long guestKhz) {
    long least = khz * (PPM - tolerancePpm) / PPM;
    long most = khz * (PPM + tolerancePpm) / PPM;
    boolean near = guestKhz >= least && guestKhz <= most;
    return near || fractionBits == 0 ? TscScaling.NONE : TscScaling.of(khz, guestKhz, fractionBits);
  }

  /** The rate at which the TSC of such a guest counts, kHz. */
  public long countsAt(long guestKhz) {
    return scalingFor(guestKhz).isNone() ? khz : guestKhz;
  }
}
