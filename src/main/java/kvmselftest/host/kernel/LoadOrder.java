package kvmselftest.host.kernel;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import kvmselftest.host.HostException;
import kvmselftest.host.UsageException;

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
  static List<KernelModule> of(CpuVendor vendor, String release, List<ModulePlace> places)
      throws HostException {
    LoadOrder order = new LoadOrder(release, places);
    order.visit(vendor.module());
    return List.copyOf(order.order);
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
    throw new UsageException(
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
