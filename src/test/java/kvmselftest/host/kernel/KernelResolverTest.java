package kvmselftest.host.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import kvmselftest.host.HostException;
import kvmselftest.host.cache.CacheFolder;
import kvmselftest.host.debian.FakePackages;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KernelResolverTest {
  private static final String RELEASE = "6.1.0-56-test";

  @TempDir Path temp;
  private final List<String> lines = new ArrayList<>();

  @Test
  void takesThePackagesKernelWithItsModulesInOrder() throws Exception {
    Path root = kernelPackage();
    Kernel kernel = resolve(new KernelChoice.Default(), Optional.empty());
    assertEquals(root.resolve("boot/vmlinuz-" + RELEASE), kernel.image());
    assertEquals(RELEASE, kernel.release());
    assertEquals(List.of("irqbypass", "kvm", "kvm-amd"), names(kernel));
  }

  @Test
  void loadsFirstWhatOtherKernelsNeedBesides() throws Exception {
    kernelPackage();
    module(packaged("kvm-amd.ko"), RELEASE, "kvm,ccp");
    module(packaged("ccp.ko"), RELEASE, "rng_core");
    module(packaged("rng-core.ko"), RELEASE, "");
    Kernel kernel = resolve(new KernelChoice.DebianRelease("6.1"), Optional.empty());
    assertEquals(List.of("irqbypass", "kvm", "rng_core", "ccp", "kvm-amd"), names(kernel));
  }

  @ParameterizedTest
  @ValueSource(strings = {"kvm.ko", "deep/er/kvm.ko.xz", "kvm.ko.gz", "kvm.ko.zst"})
  void triesAChangedModuleWithTheOthersOfThePackage(String name) throws Exception {
    Path root = kernelPackage();
    Path changed = module(temp.resolve("changed").resolve(name), RELEASE, "irqbypass");
    Kernel kernel = resolve(new KernelChoice.Default(), Optional.of(temp.resolve("changed")));
    KernelModule kvm = kernel.modules().get(1);
    assertEquals(changed, kvm.file());
    assertArrayEquals(FakeKernel.module(RELEASE, "irqbypass"), kvm.read());
    assertTrue(kernel.modules().get(2).file().startsWith(root), kernel.toString());
    assertTrue(lines.getFirst().contains(changed.toString()), lines.toString());
  }

  @Test
  void refusesAModuleOfAnotherKernel() throws Exception {
    kernelPackage();
    module(temp.resolve("changed/kvm.ko"), "6.12.9", "irqbypass");
    HostException e = fails(new KernelChoice.Default(), Optional.of(temp.resolve("changed")));
    assertTrue(e.getMessage().contains("6.12.9"), e.getMessage());
    assertTrue(e.getMessage().contains(RELEASE), e.getMessage());
  }

  @Test
  void choosesAmongSeveralKernelsModulesTheFittingOne() throws Exception {
    kernelPackage();
    module(temp.resolve("all/6.12.9/kvm.ko"), "6.12.9", "irqbypass");
    Path fitting = module(temp.resolve("all/own/kvm.ko"), RELEASE, "irqbypass");
    Kernel kernel = resolve(new KernelChoice.Default(), Optional.of(temp.resolve("all")));
    assertEquals(fitting, kernel.modules().get(1).file());
  }

  @Test
  void refusesToChooseBetweenTwoThatFit() throws Exception {
    kernelPackage();
    module(temp.resolve("two/a/kvm.ko"), RELEASE, "irqbypass");
    module(temp.resolve("two/b/kvm.ko.xz"), RELEASE, "irqbypass");
    HostException e = fails(new KernelChoice.Default(), Optional.of(temp.resolve("two")));
    assertTrue(e.getMessage().contains("more than once"), e.getMessage());
  }

  @Test
  void refusesAModulesFolderThatWouldNotBeTried() throws Exception {
    kernelPackage();
    module(temp.resolve("other/e1000.ko"), RELEASE, "");
    HostException e = fails(new KernelChoice.Default(), Optional.of(temp.resolve("other")));
    assertTrue(e.getMessage().contains("has none of irqbypass.ko, kvm.ko"), e.getMessage());
    fails(new KernelChoice.Default(), Optional.of(temp.resolve("missing")));
  }

  @Test
  void refusesABrokenModule() throws Exception {
    kernelPackage();
    Path broken =
        Files.writeString(Files.createDirectory(temp.resolve("b")).resolve("kvm.ko.xz"), "x");
    HostException e = fails(new KernelChoice.Default(), Optional.of(temp.resolve("b")));
    assertTrue(e.getMessage().contains(broken.toString()), e.getMessage());
  }

  @Test
  void findsAnImagesModulesBesideIt() throws Exception {
    Path image = FakeKernel.writeImage(temp.resolve("mine/vmlinuz"), RELEASE);
    threeModules(temp.resolve("mine"));
    Kernel kernel = resolve(new KernelChoice.Image(image), Optional.empty());
    assertEquals(temp.resolve("mine/kvm.ko"), kernel.modules().get(1).file());
  }

  @Test
  void findsAnImagesModulesBelowItInItsReleasesFolder() throws Exception {
    Path folder = temp.resolve("modules").resolve(RELEASE);
    Path image = FakeKernel.writeImage(folder.resolve("vmlinuz"), RELEASE);
    threeModules(folder.resolve("kernel/deep"));
    Kernel kernel = resolve(new KernelChoice.Image(image), Optional.empty());
    assertEquals(List.of("irqbypass", "kvm", "kvm-amd"), names(kernel));
  }

  @Test
  void fetchesAnImagesModulesAsALastResort() throws Exception {
    Path root = kernelPackage();
    Path image = FakeKernel.writeImage(temp.resolve("mine/vmlinuz"), RELEASE);
    Kernel kernel = resolve(new KernelChoice.Image(image), Optional.empty());
    assertTrue(kernel.modules().getFirst().file().startsWith(root), kernel.toString());
  }

  @Test
  void saysWhereAMissingModuleWasLookedFor() throws Exception {
    Path image = FakeKernel.writeImage(temp.resolve("mine/vmlinuz"), RELEASE);
    KernelResolver resolver = new KernelResolver(FakePackages.none(), cache());
    HostException e =
        assertThrows(
            HostException.class,
            () -> resolver.resolve(new KernelChoice.Image(image), Optional.empty(), lines::add));
    assertTrue(e.getMessage().contains("no module kvm-amd: not in /lib/modules/"), e.getMessage());
    assertTrue(e.getMessage().contains("no such package"), e.getMessage());
    assertFalse(e.getMessage().contains("\n"), e.getMessage());
  }

  @Test
  void refusesThatDebianHasGoneOnToAnotherVersion() throws Exception {
    kernelPackage();
    HostException e = fails(new KernelChoice.DebianRelease("7.2"), Optional.empty());
    assertTrue(e.getMessage().contains("no kernel 7.2 any more"), e.getMessage());
    assertEquals(
        RELEASE, resolve(new KernelChoice.DebianRelease("latest"), Optional.empty()).release());
  }

  @Test
  void needsNoModulesWhereKvmIsBuiltIn() throws Exception {
    Path image = FakeKernel.writeImage(temp.resolve("mine/vmlinuz"), RELEASE);
    Path modules = Files.createDirectory(temp.resolve("modules"));
    Files.writeString(
        modules.resolve("modules.builtin"),
        "kernel/arch/x86/kvm/kvm.ko\nkernel/arch/x86/kvm/kvm-amd.ko\n");
    Kernel kernel = resolve(new KernelChoice.Image(image), Optional.of(modules));
    assertEquals(List.of(), kernel.modules());
    assertTrue(lines.getLast().contains("KVM built in"), lines.toString());
  }

  private Kernel resolve(KernelChoice choice, Optional<Path> modules) throws HostException {
    return new KernelResolver(FakePackages.of(temp.resolve("package")), cache())
        .resolve(choice, modules, lines::add);
  }

  private CacheFolder cache() {
    return new CacheFolder(temp.resolve("cache"));
  }

  private HostException fails(KernelChoice choice, Optional<Path> modules) {
    HostException e = assertThrows(HostException.class, () -> resolve(choice, modules));
    assertFalse(e.getMessage().contains("\n"), e.getMessage());
    return e;
  }

  private static List<String> names(Kernel kernel) {
    return kernel.modules().stream().map(KernelModule::name).toList();
  }

  private Path kernelPackage() throws IOException {
    Path root = temp.resolve("package");
    FakeKernel.writeImage(root.resolve("boot/vmlinuz-" + RELEASE), RELEASE);
    threeModules(packaged(""));
    return root;
  }

  private Path packaged(String module) {
    return temp.resolve("package/lib/modules").resolve(RELEASE).resolve("kernel").resolve(module);
  }

  private static void threeModules(Path folder) throws IOException {
    module(folder.resolve("irqbypass.ko"), RELEASE, "");
    module(folder.resolve("kvm.ko"), RELEASE, "irqbypass");
    module(folder.resolve("kvm-amd.ko"), RELEASE, "kvm");
  }

  private static Path module(Path file, String release, String depends) throws IOException {
    return FakeKernel.writeModule(file, release, depends);
  }
}
