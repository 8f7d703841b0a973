package kvmselftest.host.kernel;

import java.nio.file.Path;
import java.util.List;

/**
 * A kernel that an emulator can boot, with the modules that make a /dev/kvm in it.
 *
 * @param image the bzImage
 * @param release what {@code uname -r} says in it
 * @param modules in the order to insert them; empty when KVM is built in
 */
public record Kernel(Path image, String release, List<KernelModule> modules) {
  public Kernel {
    modules = List.copyOf(modules);
  }
}
