package kvmselftest.kvm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/** The host's clocksource, on which it depends whether KVM can have a master clock. */
final class Clocksource {
  static final Path CURRENT =
      Path.of("/sys/devices/system/clocksource/clocksource0/current_clocksource");

  /** As upstream's sys_clocksource_is_based_on_tsc() (lib/x86/processor.c). */
  private static final Set<String> TSC_BASED = Set.of("tsc", "hyperv_clocksource_tsc_page");

  private Clocksource() {}

  /** Why the clocksource will not do; empty if it is based on the TSC or cannot be read. */
  static Optional<String> notBasedOnTsc(Path current) {
    String name;
    try {
      name = Files.readString(current).strip();
    } catch (IOException e) {
      return Optional.empty(); // as upstream: no sysfs, assume TSC
    }
    if (TSC_BASED.contains(name)) {
      return Optional.empty();
    }
    return Optional.of(
        ("the clocksource is %s, not based on the TSC, so that KVM has no master clock: boot with"
                + " clocksource=tsc tsc=reliable%s")
            .formatted(
                name,
                name.equals("kvm-clock")
                    ? "; in a virtual machine give it the CPU flag invtsc too"
                    : ""));
  }
}
