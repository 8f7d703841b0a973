package kvmselftest.host.kernel;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import kvmselftest.host.HostException;

/** Where the modules of a kernel are when they were unpacked or copied along with it. */
final class BesideImage {
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
    return found;
  }

  /** The folder that a link leads to has the modules. */
  private static Path real(Path image) throws HostException {
    try {
      return image.toRealPath();
    } catch (IOException e) {
      throw new HostException("kernel image " + image + " is gone; name another", e);
    }
  }
}
