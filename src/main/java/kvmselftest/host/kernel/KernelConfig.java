package kvmselftest.host.kernel;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import kvmselftest.host.UsageException;

/**
 * What a kernel was configured with.
 *
 * @param file where it says so
 */
record KernelConfig(Path file, Map<String, String> values) {
  /** The symbols of the modules that KVM may need (their Kconfig and Makefile). */
  private static final Map<String, String> SYMBOLS =
      Map.of(
          "irqbypass", "CONFIG_IRQ_BYPASS_MANAGER",
          "kvm", "CONFIG_KVM",
          "kvm-amd", "CONFIG_KVM_AMD",
          "kvm-intel", "CONFIG_KVM_INTEL",
          "ccp", "CONFIG_CRYPTO_DEV_CCP_DD",
          "rng-core", "CONFIG_HW_RANDOM");

  KernelConfig {
    values = Map.copyOf(values);
  }

  /**
   * Of a build tree: what its last build read, which an edit of .config since does not change.
   *
   * @return nothing when the tree has neither file
   */
  static Optional<KernelConfig> ofTree(Path tree) throws UsageException {
    Optional<Path> file =
        Stream.of("include/config/auto.conf", ".config")
            .map(tree::resolve)
            .filter(Files::isRegularFile)
            .findFirst();
    return file.isEmpty() ? Optional.empty() : Optional.of(read(file.get()));
  }

  private static KernelConfig read(Path file) throws UsageException {
    try {
      Map<String, String> values = new HashMap<>();
      for (String line : lines(file)) {
        int equals = line.indexOf('=');
        if (equals > 0 && !line.startsWith("#")) {
          values.put(line.substring(0, equals), line.substring(equals + 1));
        }
      }
      return new KernelConfig(file, values);
    } catch (IOException e) {
      throw new UsageException("cannot read " + file + ": " + e.getMessage(), e);
    }
  }

  private static List<String> lines(Path file) throws IOException {
    return Files.readAllLines(file, StandardCharsets.ISO_8859_1);
  }

  /** The symbol that the module depends on; nothing for one that is not KVM's. */
  static Optional<String> symbol(String module) {
    return Optional.ofNullable(SYMBOLS.get(module.replace('_', '-')));
  }

  boolean isBuiltIn(String module) {
    return symbol(module).map(values::get).filter("y"::equals).isPresent();
  }

  /** Whether the kernel has no such code at all. */
  boolean lacks(String module) {
    return symbol(module).filter(symbol -> !values.containsKey(symbol)).isPresent();
  }
}
