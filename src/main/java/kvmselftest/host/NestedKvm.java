package kvmselftest.host;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Whether this machine's KVM can run a guest that has a KVM of its own: the module that drives it
 * and its parameter {@code nested} (Documentation/virt/kvm/x86/running-nested-guests.rst).
 *
 * @param modules /sys/module, where each loaded module has a folder
 */
public record NestedKvm(Path modules) {
  public static NestedKvm ofMachine() {
    return new NestedKvm(Path.of("/sys/module"));
  }

  /**
   * What such a guest runs under.
   *
   * @throws UsageException saying why it cannot, and what to do
   */
  public Accelerator accelerator() throws UsageException {
    if (Files.isDirectory(modules.resolve("kvm_intel"))) {
      return checked("kvm_intel", Accelerator.KVM_ON_INTEL);
    }
    if (Files.isDirectory(modules.resolve("kvm_amd"))) {
      return checked("kvm_amd", Accelerator.KVM_ON_AMD);
    }
    throw new UsageException("neither kvm_intel nor kvm_amd drives this machine's KVM");
  }

  private Accelerator checked(String module, Accelerator accelerator) throws UsageException {
    String nested =
        nested(modules.resolve(module).resolve("parameters/nested")).orElse("not there");
    // A boolean or, in some kernels, a number.
    if (nested.equals("Y") || nested.equals("1")) {
      return accelerator;
    }
    throw new UsageException(
        "nested virtualization is off: "
            + module
            + "'s parameter nested is "
            + nested
            + "; switch it on, without other virtual machines running: sudo modprobe -r "
            + module
            + " && sudo modprobe "
            + module
            + " nested=1");
  }

  private static Optional<String> nested(Path parameter) {
    try {
      return Optional.of(Files.readString(parameter).strip());
    } catch (IOException e) {
      return Optional.empty();
    }
  }
}
