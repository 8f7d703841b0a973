package kvmselftest.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code kselftest/kvm_clock_selftests.sh} with a suite that only says what it was called with. */
class KselftestScriptTest {
  @TempDir private Path suite;

  @Test
  void testsThisMachineByItself() throws Exception {
    assertEquals("--native --ktap --tests a", calledWith("--tests", "a"));
  }

  /** All that imply the emulated host but {@code --matrix}, which is a table and no KTAP. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "--emulated",
        "--native",
        "--host intel",
        "--kernel=a",
        "--modules a",
        "--qemu=a",
        "--cpus 2",
        "--memory=600",
        "--accel tcg",
        "--accel=tcg",
        "--append tsc=unstable",
        "--append=tsc=unstable"
      })
  void testsWhatTheOptionsSay(String options) throws Exception {
    assertEquals("--ktap " + options, calledWith(options.split(" ")));
  }

  private String calledWith(String... options) throws Exception {
    Path launcher = suite.resolve("run-selftests.sh");
    Files.writeString(launcher, "#!/bin/bash\necho \"$*\"\n");
    assertTrue(launcher.toFile().setExecutable(true));
    Path root = Path.of(System.getProperty("kvmselftest.basedir", ".")).toAbsolutePath();
    List<String> words =
        new ArrayList<>(List.of(root.resolve("kselftest/kvm_clock_selftests.sh").toString()));
    words.addAll(List.of(options));
    ProcessBuilder script = new ProcessBuilder(words).redirectErrorStream(true);
    script.environment().put("KVM_CLOCK_SELFTESTS", suite.toString());
    Process process = script.start();
    String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), text);
    return text.strip();
  }
}
