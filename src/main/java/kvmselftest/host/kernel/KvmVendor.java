package kvmselftest.host.kernel;

/** Whose virtualization a CPU has, and so which of KVM's vendor modules makes a /dev/kvm on it. */
public enum KvmVendor {
  /** SVM. */
  AMD("kvm-amd", "AMD's SVM"),
  /** VMX. */
  INTEL("kvm-intel", "Intel's VMX");

  private final String module;
  private final String virtualization;

  KvmVendor(String module, String virtualization) {
    this.module = module;
    this.virtualization = virtualization;
  }

  /** The name of the module, without {@code .ko}. */
  public String module() {
    return module;
  }

  /** For messages: {@code AMD's SVM}. */
  public String virtualization() {
    return virtualization;
  }
}
