package kvmselftest.kvm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import kvmselftest.sys.Errno;

/** Puts into words why KVM cannot be used, with what to do about it. */
final class Unavailability {
  private static final Path CPUINFO = Path.of("/proc/cpuinfo");
  private static final Path KVM_MODULE = Path.of("/sys/module/kvm");

  private Unavailability() {}

  static KvmUnavailableException notLinuxOnX86(String os, String arch) {
    return new KvmUnavailableException(
        "not Linux on x86-64 but %s on %s: run on an x86-64 Linux host".formatted(os, arch));
  }

  /** {@code open(2)} of the device failed. */
  static KvmUnavailableException open(Path device, Errno errno) {
    String why;
    if (errno.equals(Errno.ENOENT)) {
      why = absent();
    } else if (errno.equals(Errno.EACCES) || errno.equals(Errno.EPERM)) {
      why = "no permission: join the group kvm (usermod -aG kvm USER, then log in again)";
    } else if (errno.equals(Errno.EBUSY)) {
      why = busy();
    } else if (errno.equals(Errno.ENODEV) || errno.equals(Errno.ENXIO)) {
      why = "the device has no driver: load the module (modprobe kvm_intel or kvm_amd)";
    } else {
      why = "see open(2)";
    }
    return new KvmUnavailableException("%s: %s: %s".formatted(device, errno.name(), why));
  }

  private static String absent() {
    if (Files.exists(KVM_MODULE) && isContainer()) {
      return "the container was not given the device: start it with --device /dev/kvm";
    }
    if (isContainer()) {
      return "this is a container whose host has no KVM loaded: modprobe kvm_intel or kvm_amd"
          + " on the host, then start the container with --device /dev/kvm";
    }
    if (!cpuVirtualizes()) {
      return "the CPU offers no virtualization (no flag vmx or svm in /proc/cpuinfo): enable it"
          + " in the firmware, or nested virtualization if this is a virtual machine";
    }
    return "the module is not loaded: modprobe kvm_intel or kvm_amd";
  }

  private static String busy() {
    return "another hypervisor holds the CPU's virtualization: stop it (VirtualBox, VMware)";
  }

  private static boolean isContainer() {
    return Files.exists(Path.of("/.dockerenv"))
        || Files.exists(Path.of("/run/.containerenv"))
        || System.getenv("container") != null;
  }

  private static boolean cpuVirtualizes() {
    try (var lines = Files.lines(CPUINFO)) {
      return lines
          .filter(line -> line.startsWith("flags"))
          .anyMatch(line -> line.contains(" vmx") || line.contains(" svm"));
    } catch (IOException e) {
      return false;
    }
  }

  /** KVM_GET_API_VERSION was refused. */
  static KvmUnavailableException notKvm(Path device, Errno errno) {
    return new KvmUnavailableException(
        "%s is not a KVM device (KVM_GET_API_VERSION: %s): look at what it is (ls -l %s)"
            .formatted(device, errno.name(), device));
  }

  static KvmUnavailableException otherVersion(Path device, int version, int expected) {
    return new KvmUnavailableException(
        "%s has KVM API version %d, not %d: use a kernel of Linux 2.6.22 or later"
            .formatted(device, version, expected));
  }

  static KvmUnavailableException otherVendor(Path device, String module) {
    return new KvmUnavailableException(
        ("%s is driven by %s, which does not use the CPU's virtualization and cannot offset a"
                + " guest's TSC: use a host with kvm_intel or kvm_amd")
            .formatted(device, module));
  }

  /** KVM_CREATE_VM was refused. */
  static KvmUnavailableException createVm(Path device, Errno errno) {
    String why =
        errno.equals(Errno.EBUSY) ? busy() : "the kernel log may say more (dmesg | grep -i kvm)";
    return new KvmUnavailableException(
        "%s: KVM_CREATE_VM: %s: %s".formatted(device, errno.name(), why));
  }
}
