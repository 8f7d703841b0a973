package kvmselftest.host.kernel;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import kvmselftest.host.HostException;

/**
 * The kernel modules below a folder. Names are compared as the kernel does: a hyphen is an
 * underscore.
 */
final class ModuleFolder {
  private static final Pattern MODULE = Pattern.compile("(.+)\\.ko(\\.xz|\\.gz|\\.zst)?");

  private final Map<String, List<Path>> files = new TreeMap<>();
  private final Set<String> builtIn = new HashSet<>();

  private ModuleFolder() {}

  /**
   * Looks through a folder; links in it are not followed (a "build" link leads to a whole source
   * tree), and what cannot be read is passed over.
   *
   * @param depth how many folders deep; 1 for the folder's own files
   */
  static ModuleFolder of(Path folder, int depth) throws HostException {
    ModuleFolder found = new ModuleFolder();
    if (Files.isDirectory(folder)) {
      found.search(folder, depth);
    }
    return found;
  }

  /** Several as one. */
  static ModuleFolder of(List<ModuleFolder> folders) {
    ModuleFolder all = new ModuleFolder();
    for (ModuleFolder folder : folders) {
      folder.files.forEach(
          (name, files) -> all.files.computeIfAbsent(name, any -> new ArrayList<>()).addAll(files));
      all.builtIn.addAll(folder.builtIn);
    }
    return all;
  }

  private void search(Path folder, int depth) throws HostException {
    try {
      Files.walkFileTree(
          folder.toRealPath(), EnumSet.noneOf(FileVisitOption.class), depth, new Collector());
    } catch (IOException e) {
      throw new HostException(
          "cannot look for modules in " + folder + ": " + e.getMessage() + "; make it readable", e);
    }
    files.values().forEach(Collections::sort);
  }

  /** The files of a module, in the order of their paths; none when it has no such module. */
  List<Path> find(String module) {
    return files.getOrDefault(key(module), List.of());
  }

  /** Whether a modules.builtin in it lists the module. */
  boolean isBuiltIn(String module) {
    return builtIn.contains(key(module));
  }

  private static String key(String module) {
    return module.replace('-', '_');
  }

  private void add(Path file) throws IOException {
    String name = String.valueOf(file.getFileName());
    Matcher module = MODULE.matcher(name);
    if (module.matches()) {
      files.computeIfAbsent(key(module.group(1)), any -> new ArrayList<>()).add(file);
    } else if (name.equals("modules.builtin")) {
      for (String line : Files.readAllLines(file, StandardCharsets.ISO_8859_1)) {
        builtIn.add(key(line.replaceFirst(".*/", "").replaceFirst("\\.ko$", "")));
      }
    }
  }

  private final class Collector extends SimpleFileVisitor<Path> {
    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
      if (!attributes.isDirectory()) {
        add(file);
      }
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFileFailed(Path file, IOException failure) {
      return FileVisitResult.CONTINUE;
    }
  }
}
