package kvmselftest.kvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import kvmselftest.sys.Errno;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A machine without KVM is told apart and told what to do, in one line. */
class KvmUnavailableTest {
  private static final Path DEVICE = Path.of("/dev/kvm");

  private static void assertSays(KvmUnavailableException e, String... parts) {
    for (String part : parts) {
      assertTrue(e.reason().contains(part), () -> "'" + part + "' is not in: " + e.reason());
    }
    assertEquals(1, e.reason().lines().count());
  }

  @Test
  void missingDevice(@TempDir Path folder) {
    Path missing = folder.resolve("kvm");
    assertSays(
        assertThrows(KvmUnavailableException.class, () -> Kvm.open(missing)),
        missing + ": ENOENT: ");
  }

  @Test
  void notKvm() {
    assertSays(
        assertThrows(KvmUnavailableException.class, () -> Kvm.open(Path.of("/dev/null"))),
        "/dev/null is not a KVM device (KVM_GET_API_VERSION: ENOTTY)");
  }

  @Test
  void noPermission() {
    assertSays(Unavailability.open(DEVICE, Errno.EACCES), "EACCES", "group kvm");
  }

  @Test
  void noDriver() {
    assertSays(Unavailability.open(DEVICE, Errno.ENODEV), "ENODEV", "modprobe kvm_intel");
  }

  @Test
  void busy() {
    assertSays(Unavailability.open(DEVICE, Errno.EBUSY), "EBUSY", "another hypervisor");
    assertSays(Unavailability.createVm(DEVICE, Errno.EBUSY), "KVM_CREATE_VM", "another hypervisor");
  }

  @Test
  void otherVendorModule(@TempDir Path modules) throws IOException {
    assertEquals(Optional.empty(), VendorModule.unsupported(modules));
    Files.createDirectory(modules.resolve("kvm"));
    Files.createDirectory(modules.resolve("kvm_pvm"));
    assertEquals(Optional.of("kvm_pvm"), VendorModule.unsupported(modules));
    assertSays(Unavailability.otherVendor(DEVICE, "kvm_pvm"), "kvm_pvm", "kvm_intel or kvm_amd");
    Files.createDirectory(modules.resolve("kvm_amd"));
    assertEquals(Optional.empty(), VendorModule.unsupported(modules));
  }

  @Test
  void otherApiVersion() {
    assertSays(Unavailability.otherVersion(DEVICE, 11, 12), "API version 11, not 12");
  }

  @Test
  void otherMachine() {
    assertSays(
        Unavailability.notLinuxOnX86("Linux", "aarch64"),
        "not Linux on x86-64 but Linux on aarch64");
  }

  @Test
  void clocksourceOtherThanTheTsc(@TempDir Path folder) throws IOException {
    Path current = folder.resolve("current_clocksource");
    Files.writeString(current, "kvm-clock\n");
    String reason = Clocksource.notBasedOnTsc(current).orElseThrow();
    assertTrue(
        reason.contains("the clocksource is kvm-clock") && reason.contains("invtsc"), reason);
    Files.writeString(current, "hpet\n");
    assertTrue(Clocksource.notBasedOnTsc(current).orElseThrow().contains("clocksource=tsc"));
    Files.writeString(current, "hyperv_clocksource_tsc_page\n"); // which counts in 100 ns
    assertTrue(Clocksource.notBasedOnTsc(current).orElseThrow().contains("not exact"));
    Files.writeString(current, "tsc\n");
    assertEquals(Optional.empty(), Clocksource.notBasedOnTsc(current));
  }
}
