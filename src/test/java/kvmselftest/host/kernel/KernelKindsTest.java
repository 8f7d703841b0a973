package kvmselftest.host.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import kvmselftest.host.HostException;
import kvmselftest.host.UsageException;
import kvmselftest.host.cache.CacheFolder;
import kvmselftest.host.debian.DebBuilder;
import kvmselftest.host.debian.FakePackages;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Trees, folders and packages that a user names; what does not fit is told in one line. */
class KernelKindsTest {
  private static final String RELEASE = "6.1.0-test";
  private static final String MODULES = "lib/modules/" + RELEASE + "/kernel/";

  @TempDir Path temp;

  @ParameterizedTest
  @ValueSource(strings = {"", "arch/x86/boot/bzImage", "arch/x86_64/boot/bzImage"})
  void treeHasItsOwnModulesHoweverItIsNamed(String named) throws Exception {
    Path tree = tree("kvm-amd.ko");

    Kernel kernel = resolve(tree.resolve(named).toString());

    assertEquals(List.of("irqbypass", "kvm", "kvm-amd"), names(kernel));
    assertTrue(
        kernel.modules().stream().allMatch(module -> module.file().startsWith(tree)),
        kernel.toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {".config", "include/config/auto.conf"})
  void treeWithKvmBuiltInNeedsNoModules(String config) throws Exception {
    Path tree = FakeKernel.writeTree(temp.resolve("linux"), RELEASE);
    write(tree.resolve(config), "CONFIG_KVM=y\nCONFIG_KVM_AMD=y\n");

    assertEquals(List.of(), names(resolve(tree.toString())));
  }

  @Test
  void treeIsBelievedByItsModulesBuiltin() throws Exception {
    Path tree = FakeKernel.writeTree(temp.resolve("linux"), RELEASE);
    write(tree.resolve("modules.builtin"), "kernel/arch/x86/kvm/kvm-amd.ko\n");

    assertEquals(List.of(), names(resolve(tree.toString())));
  }

  /** CONFIG_KVM=m before, =y now: the old kvm.ko is still there. */
  @Test
  void moduleLeftOverFromAnEarlierConfigurationIsNotTaken() throws Exception {
    Path tree = tree("kvm-amd.ko");
    write(tree.resolve(".config"), "CONFIG_KVM=y\nCONFIG_KVM_AMD=y\n");

    assertEquals(List.of(), names(resolve(tree.toString())));
  }

  @Test
  void configurationOfTheBuildCountsRatherThanItsEdit() throws Exception {
    Path tree = tree("kvm-amd.ko");
    write(tree.resolve("include/config/auto.conf"), "CONFIG_KVM=m\nCONFIG_KVM_AMD=m\n");
    write(tree.resolve(".config"), "CONFIG_KVM=y\nCONFIG_KVM_AMD=y\n");

    assertEquals(List.of("irqbypass", "kvm", "kvm-amd"), names(resolve(tree.toString())));
  }

  @Test
  void cpuOfIntelTakesIntelsModule() throws Exception {
    Path tree = tree("kvm-intel.ko");

    assertEquals(
        List.of("irqbypass", "kvm", "kvm-intel"), names(resolve(tree.toString(), CpuVendor.INTEL)));
    assertRefused(tree.toString(), "no module kvm-amd");
  }

  @Test
  void treeWithoutKvmIsRefused() throws Exception {
    Path tree = FakeKernel.writeTree(temp.resolve("linux"), RELEASE);
    write(tree.resolve(".config"), "CONFIG_KVM=y\n# CONFIG_KVM_AMD is not set\n");

    assertRefused(tree.toString(), "CONFIG_KVM_AMD is not set in " + tree.resolve(".config"));
  }

  @Test
  void treeWhoseModulesAreNotBuiltIsRefused() throws Exception {
    Path tree = FakeKernel.writeTree(temp.resolve("linux"), RELEASE);
    write(tree.resolve(".config"), "CONFIG_KVM=m\nCONFIG_KVM_AMD=m\n");

    assertRefused(tree.toString(), "no module kvm-amd: not built in " + tree + " (make modules)");
  }

  @Test
  void treeWithModulesOfAnOlderBuildIsRefused() throws Exception {
    Path tree = tree("kvm-amd.ko");
    FakeKernel.writeModule(tree.resolve("arch/x86/kvm/kvm.ko"), "6.1.0-old", "irqbypass");

    assertRefused(tree.toString(), "is for kernel 6.1.0-old, and the tree's bzImage is " + RELEASE);
  }

  @Test
  void treeThatIsNotBuiltIsRefused() throws Exception {
    write(temp.resolve("linux/Kconfig"), "");
    assertRefused(temp.resolve("linux").toString(), "no kernel is built in");
  }

  @ParameterizedTest
  @CsvSource({"arm64/boot/Image", "s390/boot/bzImage"})
  void treeForAnotherArchitectureIsRefused(String image) throws Exception {
    write(temp.resolve("linux/arch").resolve(image), "x");
    assertRefused(temp.resolve("linux").toString(), "another architecture (arch/" + image + ")");
  }

  @ParameterizedTest
  @CsvSource({
    "boot/vmlinuz-" + RELEASE + ", lib/modules",
    "lib/modules/" + RELEASE + "/vmlinuz, lib/modules",
    "usr/lib/modules/" + RELEASE + "/vmlinuz, usr/lib/modules",
  })
  void unpackedPackageHasImageAndModules(String image, String modules) throws Exception {
    Path root = temp.resolve("unpacked");
    FakeKernel.writeImage(root.resolve(image), RELEASE);
    FakeKernel.writeModules(
        root.resolve(modules).resolve(RELEASE).resolve("kernel"), RELEASE, ".zst");

    Kernel kernel = resolve(root.toString());

    assertEquals(root.resolve(image), kernel.image());
    assertEquals(List.of("irqbypass", "kvm", "kvm-amd"), names(kernel));
  }

  @Test
  void folderWithSeveralKernelsIsRefused() throws Exception {
    Path root = temp.resolve("unpacked");
    FakeKernel.writeImage(root.resolve("boot/vmlinuz-1"), "6.1.0-one");
    FakeKernel.writeImage(root.resolve("boot/vmlinuz-2"), "6.1.0-two");

    assertRefused(root.toString(), "several kernels in " + root + ": 6.1.0-one, 6.1.0-two");
  }

  @Test
  void folderWithModulesOfAnotherKernelIsRefused() throws Exception {
    Path root = temp.resolve("unpacked");
    FakeKernel.writeImage(root.resolve("boot/vmlinuz"), RELEASE);
    FakeKernel.writeModules(root.resolve("lib/modules/6.9.9/kernel"), "6.9.9", "");

    assertRefused(root.toString(), "no module kvm-amd: not in " + root + " (that is for 6.9.9)");
  }

  @Test
  void folderWithoutAKernelIsRefused() {
    assertRefused(temp.toString(), "no kernel in " + temp + ": neither a build tree's");
  }

  @Test
  void kernelForArm64InAPackageIsRefused() throws Exception {
    byte[] image = new byte[4096];
    System.arraycopy(new byte[] {'A', 'R', 'M', 0x64}, 0, image, 0x38, 4);
    Path deb =
        new DebBuilder(".xz").file("./boot/vmlinuz-x", image).writePackage(temp.resolve("a.deb"));

    assertRefused(deb.toString(), "it is a kernel for another architecture");
  }

  @Test
  void packageHasImageAndModules() throws Exception {
    Path deb =
        new DebBuilder(".xz")
            .file("./boot/vmlinuz-" + RELEASE, FakeKernel.image(RELEASE))
            .file("./" + MODULES + "irqbypass.ko", FakeKernel.module(RELEASE, ""))
            .file("./" + MODULES + "kvm.ko", FakeKernel.module(RELEASE, "irqbypass"))
            .file("./" + MODULES + "kvm-amd.ko", FakeKernel.module(RELEASE, "kvm"))
            .writePackage(temp.resolve("linux-image_1%3a2_amd64.deb"));

    assertEquals(List.of("irqbypass", "kvm", "kvm-amd"), names(resolve(deb.toString())));
  }

  @Test
  void packagesMayBeSplit() throws Exception {
    assertEquals(
        List.of("irqbypass", "kvm", "kvm-amd"), names(resolve(binary() + ":" + modules(RELEASE))));
  }

  @Test
  void packagesOfTwoKernelsAreRefused() throws Exception {
    assertRefused(binary() + ":" + modules("6.9.9"), "(that is for 6.9.9)");
  }

  @Test
  void packageWithoutAKernelIsRefused() throws Exception {
    Path modules = modules(RELEASE);
    assertRefused(modules.toString(), "no kernel in " + modules);
  }

  @Test
  void packageWithoutModulesIsRefused() throws Exception {
    Path binary = binary();
    assertRefused(binary.toString(), "has no module kvm-amd: not in " + binary);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 4, 100, 250, 300})
  void packageCutShortIsRefused(int left) throws Exception {
    byte[] whole = Files.readAllBytes(binary());
    Path cut = Files.write(temp.resolve("cut.deb"), Arrays.copyOf(whole, left));

    assertTrue(whole.length > left, "only " + whole.length + " bytes");
    assertRefused(cut.toString(), "cannot unpack " + cut);
  }

  @Test
  void runningKernelIsTheOneItWasBootedFrom() throws Exception {
    FakeKernel.writeImage(temp.resolve("boot/vmlinuz-" + RELEASE), RELEASE);
    FakeKernel.writeModules(temp.resolve(MODULES), RELEASE, ".xz");

    Candidate candidate = new RunningKernel(temp, RELEASE).candidate();

    assertEquals(RELEASE, candidate.image().release());
    assertTrue(candidate.places().getFirst().find("kvm", RELEASE).isPresent());
  }

  @Test
  void runningKernelWithoutAFileIsRefused() {
    UsageException e =
        assertThrows(UsageException.class, () -> new RunningKernel(temp, RELEASE).candidate());
    assertTrue(e.getMessage().contains("running kernel " + RELEASE), e.getMessage());
    assertFalse(e.getMessage().contains("\n"), e.getMessage());
  }

  private Path tree(String last) throws IOException {
    Path tree = FakeKernel.writeTree(temp.resolve("linux"), RELEASE);
    FakeKernel.writeModule(tree.resolve("virt/lib/irqbypass.ko"), RELEASE, "");
    FakeKernel.writeModule(tree.resolve("arch/x86/kvm/kvm.ko"), RELEASE, "irqbypass");
    FakeKernel.writeModule(tree.resolve("arch/x86/kvm").resolve(last), RELEASE, "kvm");
    return tree;
  }

  private Path binary() throws IOException {
    return new DebBuilder(".zst")
        .file("./boot/vmlinuz-" + RELEASE, FakeKernel.image(RELEASE))
        .writePackage(temp.resolve("linux-binary.deb"));
  }

  private Path modules(String release) throws IOException {
    String folder = "./usr/lib/modules/" + release + "/kernel/";
    return new DebBuilder(".zst")
        .file(folder + "irqbypass.ko", FakeKernel.module(release, ""))
        .file(folder + "kvm.ko", FakeKernel.module(release, "irqbypass"))
        .file(folder + "kvm-amd.ko", FakeKernel.module(release, "kvm"))
        .writePackage(temp.resolve("linux-modules.deb"));
  }

  private static void write(Path file, String text) throws IOException {
    Files.createDirectories(file.resolveSibling("."));
    Files.writeString(file, text);
  }

  private static List<String> names(Kernel kernel) {
    return kernel.modules().stream().map(KernelModule::name).toList();
  }

  private Kernel resolve(String named) throws HostException {
    return resolve(named, CpuVendor.AMD);
  }

  private Kernel resolve(String named, CpuVendor vendor) throws HostException {
    return new KernelResolver(FakePackages.none(), new CacheFolder(temp.resolve("cache")), vendor)
        .resolve(KernelChoice.of(named), Optional.empty(), line -> {});
  }

  private void assertRefused(String named, String said) {
    UsageException e = assertThrows(UsageException.class, () -> resolve(named));
    assertTrue(e.getMessage().contains(said), e.getMessage());
    assertFalse(e.getMessage().contains("\n"), e.getMessage());
  }
}
