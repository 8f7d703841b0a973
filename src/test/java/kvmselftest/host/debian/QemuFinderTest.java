package kvmselftest.host.debian;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import kvmselftest.host.HostException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QemuFinderTest {
  @TempDir Path temp;
  private final List<String> lines = new ArrayList<>();

  @Test
  void takesANewEnoughOneOfTheMachine() throws Exception {
    Path own = qemu("own", "10.1.0");
    QemuInstallation found = finder(FakePackages.none()).find(Optional.empty(), lines::add);
    assertEquals(own, found.binary());
    assertEquals("10.1.0", found.version());
    assertTrue(found.parallelCpus());
    assertTrue(found.firmware().isEmpty());
    assertEquals(List.of(), lines);
  }

  @Test
  void prefersANewOneOfThePackages() throws Exception {
    qemu("own", "7.2.22");
    Path unpacked = qemu("unpacked/usr/bin", "10.0.2");
    Path firmware = Files.createDirectories(temp.resolve("unpacked/usr/share/seabios"));
    QemuInstallation found = finder(packages()).find(Optional.empty(), lines::add);
    assertEquals(unpacked, found.binary());
    assertEquals(List.of(firmware), found.firmware());
    assertTrue(found.environment().containsKey("LD_LIBRARY_PATH"));
    assertEquals(List.of(), lines);
  }

  @Test
  void takesAnOldOneWhenThereIsNoOtherAndSaysSo() throws Exception {
    Path own = qemu("own", "7.2.22");
    QemuInstallation found = finder(FakePackages.none()).find(Optional.empty(), lines::add);
    assertEquals(own, found.binary());
    assertFalse(found.parallelCpus());
    assertTrue(lines.getLast().contains("thread=single"), lines.toString());
  }

  @Test
  void takesAnyVersionUnderKvm() throws Exception {
    Path own = qemu("own", "7.2.22");
    assertEquals(own, finder(packages()).findForKvm(Optional.empty(), lines::add).binary());
    assertEquals(List.of(), lines);
  }

  @Test
  void takesTheOneThatIsNamedWhateverItsVersion() throws Exception {
    qemu("own", "10.1.0");
    Path named = qemu("named", "8.2");
    QemuInstallation found = finder(FakePackages.none()).find(Optional.of(named), lines::add);
    assertEquals("8.2", found.version());
    assertTrue(lines.getLast().contains("thread=single"), lines.toString());
  }

  @Test
  void saysWhatANamedOneThatDoesNotRunSaid() throws Exception {
    Path named =
        program("named", "echo 'error while loading shared libraries: libx' >&2; exit 127");
    HostException e =
        assertThrows(
            HostException.class,
            () -> finder(FakePackages.none()).find(Optional.of(named), lines::add));
    assertTrue(e.getMessage().contains("loading shared libraries: libx"), e.getMessage());
  }

  @Test
  void saysThatThereIsNone() {
    assertThrows(
        HostException.class, () -> finder(FakePackages.none()).find(Optional.empty(), lines::add));
    HostException e =
        assertThrows(
            HostException.class,
            () ->
                finder(new NoPackages(OsRelease.parse("ID=rocky\nID_LIKE=\"rhel centos fedora\"")))
                    .find(Optional.empty(), lines::add));
    assertTrue(e.getMessage().contains("sudo dnf install qemu-system-x86-core"), e.getMessage());
  }

  private QemuFinder finder(Packages packages) {
    return new QemuFinder(packages, new SearchPath(List.of(temp.resolve("own"))));
  }

  private FakePackages packages() {
    return FakePackages.of(temp.resolve("unpacked"));
  }

  private Path qemu(String folder, String version) throws IOException {
    return program(folder, "echo 'QEMU emulator version " + version + " (Debian 1:9)'");
  }

  private Path program(String folder, String script) throws IOException {
    Path file = Files.createDirectories(temp.resolve(folder)).resolve("qemu-system-x86_64");
    Files.writeString(file, "#!/bin/sh\n" + script + "\n");
    return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }
}
