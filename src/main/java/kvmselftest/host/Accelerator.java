package kvmselftest.host;

import kvmselftest.host.kernel.CpuVendor;

/** How QEMU runs the CPUs of the emulated host. */
public enum Accelerator {
  /** QEMU emulates them, with AMD's SVM: everywhere, slowly. */
  TCG(CpuVendor.AMD),
  /** This machine's KVM runs them on an AMD CPU, with nested SVM. */
  KVM_ON_AMD(CpuVendor.AMD),
  /** This machine's KVM runs them on an Intel CPU, with nested VMX. */
  KVM_ON_INTEL(CpuVendor.INTEL);

  private final CpuVendor vendor;

  Accelerator(CpuVendor vendor) {
    this.vendor = vendor;
  }

  /** Whose virtualization the kernel under test sees. */
  public CpuVendor vendor() {
    return vendor;
  }

  public boolean isKvm() {
    return this != TCG;
  }

  @Override
  public String toString() {
    return isKvm() ? "KVM, nested" : "TCG";
  }
}
