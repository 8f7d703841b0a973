package kvmselftest.host.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import kvmselftest.host.HostException;
import kvmselftest.host.UsageException;

/**
 * A folder in which a kernel was built, with its own modules or with KVM built in. What was
 * installed from it is not looked at: that may be of an older build.
 */
final class BuildTree implements ModulePlace {
  private static final String BOOT = "arch/x86/boot";
  private static final String IMAGE = BOOT + "/bzImage";

  /** Where a build leaves the modules that KVM needs, from the tree's root. */
  private static final List<String> BUILT =
      List.of("arch/x86/kvm", "virt/lib", "drivers/crypto/ccp", "drivers/char/hw_random");

  private final Path tree;
  private final ModuleFolder modules;
  private final Optional<KernelConfig> config;

  private BuildTree(Path tree, ModuleFolder modules, Optional<KernelConfig> config) {
    this.tree = tree;
    this.modules = modules;
    this.config = config;
  }

  /** Whether a kernel for x86 was built in the folder. */
  static boolean isOne(Path folder) {
    return Files.isRegularFile(folder.resolve(IMAGE));
  }

  /** The tree that an image was built in; a build's arch/x86_64/boot/bzImage is a link. */
  static Optional<Path> of(Path image) {
    try {
      Path folder = Objects.requireNonNull(image.toRealPath().getParent());
      return folder.endsWith(BOOT)
          ? Optional.of(folder.resolve("../../..").normalize())
          : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  static Candidate candidate(Path tree) throws HostException {
    List<ModuleFolder> folders = new ArrayList<>(List.of(ModuleFolder.of(tree, 1)));
    for (String built : BUILT) {
      folders.add(ModuleFolder.of(tree.resolve(built), 2));
    }
    BuildTree place = new BuildTree(tree, ModuleFolder.of(folders), KernelConfig.ofTree(tree));
    return new Candidate(BzImage.read(tree.resolve(IMAGE)), List.of(place));
  }

  /** A module that was built before it was configured to be built in is a leftover. */
  @Override
  public Optional<Found> find(String module, String release) throws HostException {
    List<Path> files = isBuiltIn(module) ? List.of() : modules.find(module);
    if (files.isEmpty()) {
      checkConfigured(module);
      return Optional.empty();
    }
    List<Found> fitting = KernelModule.fitting(modules, module, release);
    if (fitting.isEmpty()) {
      throw new UsageException(
          files.getFirst()
              + " is for kernel "
              + KernelModule.info(files.getFirst()).release()
              + ", and the tree's bzImage is "
              + release
              + "; build both again: make bzImage modules");
    }
    return Optional.of(fitting.getFirst());
  }

  private void checkConfigured(String module) throws UsageException {
    Optional<KernelConfig> without = config.filter(one -> one.lacks(module));
    if (without.isPresent()) {
      throw new UsageException(
          "the kernel built in "
              + tree
              + " has no "
              + module
              + ": "
              + KernelConfig.symbol(module).orElse(module)
              + " is not set in "
              + without.get().file()
              + "; set it to y or m and build again");
    }
  }

  @Override
  public boolean isBuiltIn(String module) {
    return modules.isBuiltIn(module) || config.filter(one -> one.isBuiltIn(module)).isPresent();
  }

  @Override
  public String absence() {
    return "not built in " + tree + " (make modules)";
  }
}
