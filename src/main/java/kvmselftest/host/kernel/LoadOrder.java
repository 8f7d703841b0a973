package kvmselftest.host.kernel;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import kvmselftest.host.HostException;

/** Puts a kernel's KVM modules in the order to insert them, from what each says it depends on. */
final class LoadOrder {
  private final String release;
  private final List<ModulePlace> places;
  private final List<KernelModule> order = new ArrayList<>();
  private final Set<String> visited = new HashSet<>();

  private LoadOrder(String release, List<ModulePlace> places) {
    this.release = release;
    this.places = List.copyOf(places);
  }

  /**
   * The modules, fewer or none where they are built into the kernel.
   *
   * @param vendor whose CPU the kernel will find
   * @param places where to look, the first one first for every module
   */
  static List<KernelModule> of(String release, KvmVendor vendor, List<ModulePlace> places)
      throws HostException {
    LoadOrder order = new LoadOrder(release, places);
    order.visit(ofKvm(vendor).getLast());
    return List.copyOf(order.order);
  }

  /**
   * The modules that make /dev/kvm on a CPU of that vendor. The last of them leads to the others,
   * and to those that only some kernels have (ccp and rng-core in 5.10's, for AMD).
   */
  static List<String> ofKvm(KvmVendor vendor) {
    return List.of("irqbypass", "kvm", vendor.module());
  }

  private void visit(String module) throws HostException {
    if (!visited.add(module)) {
      return;
    }
    Optional<ModulePlace.Found> found = find(module);
    if (found.isPresent()) {
      for (String dependency : found.get().info().depends()) {
        visit(dependency);
      }
      order.add(found.get().module());
    }
  }

  private Optional<ModulePlace.Found> find(String module) throws HostException {
    for (ModulePlace place : places) {
      Optional<ModulePlace.Found> found = place.find(module, release);
      if (found.isPresent() || place.isBuiltIn(module)) {
        return found;
      }
    }
    throw new HostException(
        "kernel "
            + release
            + " has no module "
            + module
            + ": "
            + places.stream().map(ModulePlace::absence).collect(Collectors.joining(", "))
            + "; name its folder by --modules, or one with its modules.builtin when KVM is built"
            + " in");
  }
}
