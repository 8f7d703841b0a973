package kvmselftest.host.kernel;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import kvmselftest.host.HostException;

/** A place that may have a kernel's own modules, looked at only when its turn comes. */
final class FallbackPlace implements ModulePlace {
  /** Finds or fetches what is to be looked through. */
  @FunctionalInterface
  interface Opener {
    List<ModuleFolder> open() throws HostException;
  }

  private final String name;
  private final Opener opener;
  private Optional<List<ModuleFolder>> folders = Optional.empty();
  private final Set<String> others = new TreeSet<>();
  private String failure = "";

  private FallbackPlace(String name, Opener opener) {
    this.name = name;
    this.opener = opener;
  }

  /** A folder, with all below it. */
  static FallbackPlace folder(Path folder) {
    return of("in " + folder, () -> List.of(ModuleFolder.of(folder, Integer.MAX_VALUE)));
  }

  /**
   * Any other place.
   *
   * @param name in words that follow "not"
   */
  static FallbackPlace of(String name, Opener opener) {
    return new FallbackPlace(name, opener);
  }

  @Override
  public Optional<Found> find(String module, String release) throws HostException {
    for (ModuleFolder folder : folders()) {
      Optional<Found> found = KernelModule.fitting(folder, module, release).stream().findFirst();
      if (found.isPresent()) {
        return found;
      }
      for (Path file : folder.find(module)) {
        others.add(KernelModule.info(file).release());
      }
    }
    return Optional.empty();
  }

  @Override
  public boolean isBuiltIn(String module) {
    return folders().stream().anyMatch(folder -> folder.isBuiltIn(module));
  }

  @Override
  public String absence() {
    if (!others.isEmpty()) {
      return "not " + name + " (that is for " + String.join(", ", others) + ")";
    }
    return failure.isEmpty() ? "not " + name : "not " + name + " (" + failure + ")";
  }

  private List<ModuleFolder> folders() {
    if (folders.isEmpty()) {
      folders = Optional.of(open());
    }
    return folders.get();
  }

  /** What cannot be had is one place less: the others may do, and the end result tells of it. */
  private List<ModuleFolder> open() {
    try {
      return opener.open();
    } catch (HostException e) {
      // Without its advice: there will be one for all places together.
      failure = e.getMessage().replaceFirst(";[^;]*$", "");
      return List.of();
    }
  }
}
