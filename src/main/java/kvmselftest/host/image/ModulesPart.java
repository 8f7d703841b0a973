package kvmselftest.host.image;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import kvmselftest.host.HostException;
import kvmselftest.host.cache.Fingerprint;
import kvmselftest.host.kernel.KernelModule;

/**
 * The kernel modules, as the kernel loads them, and a list of their names in the order to do so.
 */
record ModulesPart(List<KernelModule> modules) {
  private static final String FOLDER = "modules/";

  Archive archive(Parts parts) throws HostException, IOException {
    Fingerprint fingerprint = new Fingerprint();
    for (KernelModule module : modules) {
      fingerprint.add(module.name()).addContent(module.file());
    }
    return parts.get(
        "modules", fingerprint.hex(), folder -> Archive.write(tree(), Parts.file(folder)));
  }

  private ImageTree tree() throws HostException {
    ImageTree tree = new ImageTree().folder("modules");
    for (int i = 0; i < modules.size(); i++) {
      tree.put(FOLDER + file(i), ImageFile.of(modules.get(i).read()));
    }
    return tree.put(FOLDER + "order", ImageFile.of(order()));
  }

  private String order() {
    return IntStream.range(0, modules.size())
        .mapToObj(i -> file(i) + "\n")
        .collect(Collectors.joining());
  }

  /** The number keeps two modules of one name apart. */
  private String file(int i) {
    Path name = Path.of(modules.get(i).name());
    return String.format(Locale.ROOT, "%02d-%s.ko", i, name.getFileName());
  }
}
