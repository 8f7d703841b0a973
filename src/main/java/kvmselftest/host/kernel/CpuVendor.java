package kvmselftest.host.kernel;

import java.util.List;

/** Whose virtualization the CPU has that the kernel will see, and so which module drives it. */
public enum CpuVendor {
  /** SVM; also what QEMU emulates without KVM. */
  AMD("kvm-amd"),
  /** VMX. */
  INTEL("kvm-intel");

  private final String module;

  CpuVendor(String module) {
    this.module = module;
  }

  /**
   * The module that makes a /dev/kvm on such a CPU. It leads to all others, also to those that only
   * some kernels have (ccp and rng-core in 5.10's).
   */
  public String module() {
    return module;
  }

  /** The modules of KVM, any of which the user may have changed. */
  List<String> modulesOfKvm() {
    return List.of("irqbypass", "kvm", module);
  }
}
