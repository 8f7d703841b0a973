package kvmselftest.host.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import kvmselftest.host.HostException;
import kvmselftest.host.Progress;
import kvmselftest.host.cache.CacheFolder;
import kvmselftest.host.debian.BusyboxFinder;
import kvmselftest.host.debian.Packages;
import kvmselftest.host.debian.QemuFinder;
import kvmselftest.host.debian.QemuInstallation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Fetches for real, about 40 MB a kernel, into a cache of its own. */
@EnabledIfSystemProperty(
    named = "kvmselftest.network",
    matches = "true",
    disabledReason = "fetches packages; run it by mvn test -Dkvmselftest.network=true")
class FetchedKernelsTest {
  private static final Progress CONSOLE = System.out::println;

  @TempDir static Path temp;

  @ParameterizedTest
  @ValueSource(strings = {"5.10", "6.1", "6.12", "7.2"})
  void hasTheModulesOfEachDebianKernel(String version) throws Exception {
    Kernel kernel =
        resolver().resolve(new KernelChoice.DebianRelease(version), Optional.empty(), CONSOLE);
    assertTrue(kernel.release().startsWith(version + "."), kernel.release());
    assertEquals(
        List.of("irqbypass", "kvm", "kvm-amd"),
        kernel.modules().stream().map(KernelModule::name).toList());
  }

  @Test
  void hasTheDistributionsKernel() throws Exception {
    Kernel kernel = resolver().resolve(new KernelChoice.Default(), Optional.empty(), CONSOLE);
    assertEquals("kvm-amd", kernel.modules().getLast().name());
  }

  @Test
  void hasAQemuWithParallelCpus() throws Exception {
    QemuInstallation qemu = new QemuFinder(packages()).find(Optional.empty(), CONSOLE);
    assertTrue(qemu.parallelCpus(), qemu.version());
  }

  @Test
  void hasAStaticBusybox() throws HostException {
    assertTrue(Files.isExecutable(new BusyboxFinder(packages()).find(CONSOLE)));
  }

  private static KernelResolver resolver() {
    return new KernelResolver(packages(), cache());
  }

  private static Packages packages() {
    return Packages.ofMachine(cache());
  }

  private static CacheFolder cache() {
    return new CacheFolder(temp);
  }
}
