package kvmselftest.kvm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The half of KVM that knows the CPU. Only kvm_intel and kvm_amd use its virtualization, which is
 * what offsets and scales a guest's TSC; a KVM that does without, such as kvm_pvm, has the
 * attribute KVM_VCPU_TSC_OFFSET too, but what is written to it has no effect, for want of hardware
 * and not by a fault in KVM's time code.
 */
public final class VendorModule {
  /** Modules, loaded or built in. */
  static final Path MODULES = Path.of("/sys/module");

  private VendorModule() {}

  /** Whether it is Intel's: scaling has more bits there, and a hypercall is another instruction. */
  public static boolean isIntel() {
    return Files.exists(MODULES.resolve("kvm_intel"));
  }

  /** The vendor module's name if it is not one of the two; empty also where there is no sysfs. */
  static Optional<String> unsupported(Path modules) {
    if (!Files.exists(modules.resolve("kvm"))
        || Files.exists(modules.resolve("kvm_intel"))
        || Files.exists(modules.resolve("kvm_amd"))) {
      return Optional.empty();
    }
    try (Stream<Path> all = Files.list(modules)) {
      return Optional.of(
          all.map(module -> module.getFileName().toString())
              .filter(name -> name.startsWith("kvm_"))
              .findFirst()
              .orElse("an unknown module"));
    } catch (IOException e) {
      return Optional.empty();
    }
  }
}
