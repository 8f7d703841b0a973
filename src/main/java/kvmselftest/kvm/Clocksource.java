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

  /**
   * Without hyperv_clocksource_tsc_page, which upstream's sys_clocksource_is_based_on_tsc() counts
   * among them (lib/x86/processor.c): it counts in 100 ns, so that KVM's master clock is up to that
   * much off the TSC it goes with, and all that is exact to a nanosecond here is not there.
   */
  private static final Set<String> TSC_BASED = Set.of("tsc");

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
        ("the clocksource is %s and not tsc, so that KVM has no master clock, or one that is not"
                + " exact: boot with clocksource=tsc tsc=reliable%s")
            .formatted(
                name,
                name.equals("kvm-clock")
                    ? "; in a virtual machine give it the CPU flag invtsc too"
                    : ""));
  }
}
