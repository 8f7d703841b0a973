package kvmselftest.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import kvmselftest.kvm.Capability;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.KvmUnavailableException;
import kvmselftest.results.HostFacts;

/** What results.json says of the machine that this process runs on. */
final class HostInspection {
  /** Set by the launcher outside, which knows what emulates this machine. */
  static final String EMULATOR = "kvmselftest.emulator";

  private static final Path RELEASE = Path.of("/proc/sys/kernel/osrelease");
  private static final Path CPUS = Path.of("/proc/cpuinfo");
  private static final Path CLOCKSOURCE =
      Path.of("/sys/devices/system/clocksource/clocksource0/current_clocksource");
  private static final Path MODULES = Path.of("/sys/module");

  private HostInspection() {}

  static HostFacts facts() {
    String cpus = text(CPUS);
    String emulator = System.getProperty(EMULATOR, "");
    return new HostFacts(
        text(RELEASE),
        ofCpu(cpus, "model name"),
        text(CLOCKSOURCE),
        Stream.of("kvm_amd", "kvm_intel")
            .filter(name -> Files.exists(MODULES.resolve(name)))
            .findFirst()
            .orElse(""),
        machine(emulator, cpus),
        emulator,
        capabilities());
  }

  /** CPUs show this flag where they are a hypervisor's. */
  private static String machine(String emulator, String cpus) {
    if (!emulator.isEmpty()) {
      return "emulated";
    }
    boolean virtual = (" " + ofCpu(cpus, "flags") + " ").contains(" hypervisor ");
    return virtual ? "virtual machine" : "hardware";
  }

  /** The first CPU's; empty if it has none such. */
  private static String ofCpu(String cpus, String field) {
    return cpus.lines()
        .filter(line -> line.startsWith(field) && line.contains(":"))
        .map(line -> line.substring(line.indexOf(':') + 1).strip())
        .findFirst()
        .orElse("");
  }

  private static Map<String, Integer> capabilities() {
    Map<String, Integer> answers = new LinkedHashMap<>();
    try (Kvm kvm = Kvm.open()) {
      for (Capability capability : Capability.values()) {
        answers.put(capability.name(), kvm.checkExtension(capability));
      }
    } catch (KvmUnavailableException e) {
      // The tests skip and say why.
    }
    return answers;
  }

  private static String text(Path file) {
    try {
      return Files.readString(file).strip();
    } catch (IOException e) {
      return "";
    }
  }
}
