package kvmselftest.host.kernel;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import kvmselftest.host.HostException;

/** Where the modules of a kernel are when they were built, unpacked or copied along with it. */
final class BesideImage {
  /** Where a build leaves the modules that KVM needs, from the tree's root. */
  private static final List<String> BUILT =
      List.of("arch/x86/kvm", "virt/lib", "drivers/crypto/ccp", "drivers/char/hw_random");

  private BesideImage() {}

  static List<ModuleFolder> folders(Path image, String release) throws HostException {
    Path folder = Objects.requireNonNull(real(image).getParent());
    List<ModuleFolder> found = new ArrayList<>();
    // Some distributions put the image at the top of its modules' folder.
    found.add(ModuleFolder.of(folder, folder.endsWith(release) ? Integer.MAX_VALUE : 1));
    for (String path : List.of("lib/modules", "../lib/modules", "../usr/lib/modules")) {
      Path modules = folder.resolve(path).resolve(release).normalize();
      found.add(ModuleFolder.of(modules, Integer.MAX_VALUE));
    }
    if (folder.endsWith("arch/x86/boot")) {
      addBuilt(folder.resolve("../../..").normalize(), found);
    }
    return found;
  }

  private static void addBuilt(Path tree, List<ModuleFolder> found) throws HostException {
    found.add(ModuleFolder.of(tree, 1));
    for (String built : BUILT) {
      found.add(ModuleFolder.of(tree.resolve(built), 2));
    }
  }

  /** A build's arch/x86_64/boot/bzImage is a link into arch/x86/boot. */
  private static Path real(Path image) throws HostException {
    try {
      return image.toRealPath();
    } catch (IOException e) {
      throw new HostException("kernel image " + image + " is gone; name another", e);
    }
  }
}
