package kvmselftest.host.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import kvmselftest.host.Accelerator;
import kvmselftest.host.Machine;
import kvmselftest.host.debian.QemuInstallation;
import kvmselftest.host.emulator.SerialFiles;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class QemuCommandTest {
  @Test
  void oldQemuRunsTheCpusInTurns() {
    assertTrue(words("7.2.22", Machine.STANDARD).contains("tcg,thread=single"));
    assertTrue(words("10.0.2", Machine.STANDARD).contains("tcg,thread=multi"));
  }

  @Test
  void machineIsAsAskedFor() {
    Machine machine = new Machine(3, 2048, "mitigations=auto");
    List<String> words = words("10.0.2", machine);

    assertEquals("3", after("-smp", words));
    assertEquals("2048", after("-m", words));
    assertTrue(
        after("-append", words).endsWith(" loglevel=4 mitigations=auto"),
        "the user's words come last");
  }

  @ParameterizedTest
  @EnumSource(
      value = Accelerator.class,
      names = {"KVM_ON_AMD", "KVM_ON_INTEL"})
  void underKvmTheCpuIsTheHostsWithItsTsc(Accelerator accelerator) {
    List<String> words = words("7.2.22", accelerator, Machine.STANDARD);

    assertEquals("kvm", after("-accel", words));
    assertEquals("host,migratable=off,+invtsc", after("-cpu", words));
    assertTrue(after("-append", words).contains("tsc=reliable clocksource=tsc"), words.toString());
  }

  @Test
  void underTcgTheCpuIsEmulated() {
    assertEquals("max", after("-cpu", words("10.0.2", Machine.STANDARD)));
  }

  @Test
  void commaInAPathIsNoEndOfIt() {
    assertTrue(
        words("10.0.2", Machine.STANDARD).contains("file,id=console,path=/a,,b/console.log"));
  }

  private static String after(String option, List<String> words) {
    return words.get(words.indexOf(option) + 1);
  }

  private static List<String> words(String version, Machine machine) {
    return words(version, Accelerator.TCG, machine);
  }

  private static List<String> words(String version, Accelerator accelerator, Machine machine) {
    QemuInstallation qemu =
        new QemuInstallation(
            Path.of("/usr/bin/qemu"), List.of(Path.of("/firmware")), Map.of(), version);
    SerialFiles files = new SerialFiles(Path.of("/a,b/console.log"), Path.of("/a,b/results"));
    return new QemuCommand(
            qemu, accelerator, machine, Path.of("/vmlinuz"), Path.of("/initramfs"), files)
        .words();
  }
}
