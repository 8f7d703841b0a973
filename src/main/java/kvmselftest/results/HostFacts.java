package kvmselftest.results;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The machine whose KVM was tested. A text is empty where the machine does not say.
 *
 * @param kernel its release, as {@code uname -r} prints it
 * @param cpu the CPU's model name
 * @param clocksource the kernel's current one
 * @param vendorModule {@code kvm_amd} or {@code kvm_intel}
 * @param machine in these words: hardware, virtual machine, emulated
 * @param emulator what emulates it, with its version; empty when nothing does
 * @param capabilities what KVM_CHECK_EXTENSION answered, by the capability's name
 */
public record HostFacts(
    String kernel,
    String cpu,
    String clocksource,
    String vendorModule,
    String machine,
    String emulator,
    Map<String, Integer> capabilities) {
  /** Of a machine that nothing is known of. */
  public static final HostFacts UNKNOWN = new HostFacts("", "", "", "", "", "", Map.of());

  public HostFacts {
    capabilities = Collections.unmodifiableMap(new LinkedHashMap<>(capabilities));
  }

  /** That of an emulated host, of which only its kernel and emulator are known from outside. */
  public static HostFacts ofEmulated(String kernel, String emulator) {
    return new HostFacts(kernel, "", "", "", "emulated", emulator, Map.of());
  }
}
