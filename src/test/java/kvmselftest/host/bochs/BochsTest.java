package kvmselftest.host.bochs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Map;
import kvmselftest.host.HostException;
import kvmselftest.host.Machine;
import kvmselftest.host.emulator.ResultsFile;
import kvmselftest.host.emulator.RunningEmulator;
import kvmselftest.host.emulator.SerialFiles;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Shell scripts in the place of Bochs and of xorriso. */
class BochsTest {
  @TempDir private Path folder;

  private final Machine machine = new Machine(3, 768, "tsc=unstable");

  @BeforeEach
  void files() throws IOException {
    for (String name : new String[] {"isolinux.bin", "ldlinux.c32", "vmlinuz"}) {
      Files.writeString(folder.resolve(name), name);
    }
    Files.writeString(folder.resolve("initramfs"), "initramfs");
    script("xorriso", "for last; do :; done; cp -a \"$last\" \"${0%/*}/tree\"; : >\"$5\"");
  }

  @Test
  void serialPortsLeadWhereTheyShould() throws Exception {
    script(
        "bochs-bin",
        "test -t 1 || exit 3; echo tty; echo console >console; echo up >results;"
            + " echo hello >programs; cp bochsrc commands \"${0%/*}\"");
    ByteArrayOutputStream out = new ByteArrayOutputStream();

    try (RunningEmulator bochs = start()) {
      bochs.passOutputTo(new PrintStream(out, true, StandardCharsets.UTF_8));
      assertEquals(RunningEmulator.Wait.ENDED, end(bochs));
      assertEquals(0, bochs.exitStatus());
    }

    assertEquals("hello\n", out.toString(StandardCharsets.UTF_8));
    assertEquals("console\n", Files.readString(folder.resolve("console.log")));
    assertEquals("up\n", Files.readString(folder.resolve("results.bin")));
    assertEquals("c\n", Files.readString(folder.resolve("commands")));
    String configuration = Files.readString(folder.resolve("bochsrc"));
    assertTrue(configuration.contains("model=corei7_haswell_4770, count=3,"), configuration);
    assertTrue(configuration.contains("memory: guest=768,"), configuration);
  }

  @Test
  void diskHasKernelInitramfsAndArguments() throws Exception {
    script("bochs-bin", "exit 0");

    start().close();

    Path boot = folder.resolve("tree/isolinux");
    assertEquals("vmlinuz", Files.readString(boot.resolve("vmlinuz")));
    assertEquals("initramfs", Files.readString(boot.resolve("initrd")));
    assertEquals("ldlinux.c32", Files.readString(boot.resolve("ldlinux.c32")));
    String menu = Files.readString(boot.resolve("isolinux.cfg"));
    assertTrue(menu.contains("tsc_early_khz=50000 "), menu);
    assertTrue(menu.strip().endsWith("loglevel=4 tsc=unstable"), menu);
  }

  @Test
  void diskThatCannotBeMadeIsTold() throws Exception {
    script("xorriso", "echo 'xorriso : FAILURE : no space' >&2; exit 5");

    HostException e = assertThrows(HostException.class, this::start);

    assertTrue(e.getMessage().contains("FAILURE : no space"), e.getMessage());
  }

  @Test
  void whatBochsSaysInItsLogIsItsComplaint() throws Exception {
    script("bochs-bin", "echo '00000p[ROM ] >>PANIC<< no ROM' >bochs.log; exit 1");

    try (RunningEmulator bochs = start()) {
      bochs.passOutputTo(new PrintStream(OutputStream.nullOutputStream()));
      assertEquals(RunningEmulator.Wait.ENDED, end(bochs));
      assertEquals(1, bochs.exitStatus());
      assertTrue(bochs.complaint().endsWith("no ROM"), bochs.complaint());
    }
  }

  private RunningEmulator.Wait end(RunningEmulator bochs) throws Exception {
    Duration bound = Duration.ofSeconds(30);
    return bochs.awaitEnd(new ResultsFile(folder.resolve("results.bin")), bound, bound);
  }

  private RunningEmulator start() throws HostException {
    BochsInstallation installation =
        new BochsInstallation(
            folder.resolve("bochs-bin"),
            Map.of(),
            folder.resolve("xorriso"),
            folder.resolve("isolinux.bin"),
            folder.resolve("ldlinux.c32"),
            "2.7");
    return new Bochs(installation, BochsModel.HASWELL)
        .start(
            machine,
            folder.resolve("vmlinuz"),
            folder.resolve("initramfs"),
            new SerialFiles(folder.resolve("console.log"), folder.resolve("results.bin")),
            folder);
  }

  private void script(String name, String text) throws IOException {
    Path file = Files.writeString(folder.resolve(name), "#!/bin/sh\n" + text + "\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }
}
