package kvmselftest.host.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import kvmselftest.host.HostException;
import kvmselftest.host.Progress;
import kvmselftest.host.cache.CacheFolder;
import kvmselftest.host.cache.Fingerprint;
import kvmselftest.host.process.Tool;

/**
 * A small Java runtime, made of a JDK by jlink; or the one that runs this, where it is no JDK but
 * the runtime of the project's archive, made in the same way.
 *
 * @param home its folder
 * @param key what it was made of
 */
record JavaRuntime(Path home, String key) {
  private static final List<String> MODULES =
      List.of("java.base", "java.logging", "java.xml", "jdk.zipfs");

  /**
   * java.logging and java.xml are JUnit's, jdk.zipfs is how it finds the test classes in a jar.
   * Compressed, lib/modules is 16 MB instead of 36: the kernel unpacks it quicker, and nearly all
   * classes come from the AOT cache anyway.
   */
  private static final List<String> OPTIONS =
      List.of(
          "--add-modules",
          String.join(",", MODULES),
          "--strip-debug",
          "--no-header-files",
          "--no-man-pages",
          "--compress",
          "zip-6");

  private static final Duration BOUND = Duration.ofMinutes(5);

  /** The runtime of that JDK, out of the cache or made now. */
  static JavaRuntime of(Path jdk, CacheFolder cache, Progress progress)
      throws HostException, IOException {
    String key = key(jdk);
    if (!Files.exists(jdk.resolve("bin/jlink"))) {
      checkModules(jdk);
      return new JavaRuntime(jdk, key);
    }
    Path folder =
        cache.folder("jre-" + key, progress, partial -> link(jdk, partial.resolve("jre")));
    return new JavaRuntime(folder.resolve("jre"), key);
  }

  /** Path, size and time stand for the content of the JDK's large files, 170 MB. */
  private static String key(Path jdk) throws IOException, HostException {
    Path modules = jdk.resolve("lib/modules");
    Path release = jdk.resolve("release");
    if (!Files.isRegularFile(modules) || !Files.isRegularFile(release)) {
      throw new HostException(jdk + " is no JDK; start with a JDK 25");
    }
    return new Fingerprint()
        .add(OPTIONS)
        .addContent(release)
        .addStamp(modules)
        .addStamp(jdk.resolve("lib/server/libjvm.so"))
        .hex();
  }

  /** The file release has a line such as MODULES="java.base java.logging". */
  private static void checkModules(Path runtime) throws IOException, HostException {
    List<String> words =
        List.of(Files.readString(runtime.resolve("release")).split("[\\s\"=]+", -1));
    if (!words.containsAll(MODULES)) {
      throw new HostException(
          runtime
              + " is neither a JDK with bin/jlink nor a runtime with "
              + String.join(", ", MODULES)
              + "; start with a full JDK 25");
    }
  }

  private static void link(Path jdk, Path output) throws HostException {
    Path jlink = jdk.resolve("bin/jlink");
    List<String> words = new ArrayList<>(List.of(jlink.toString()));
    words.addAll(OPTIONS);
    words.addAll(List.of("--output", output.toString()));
    Path folder = output.toAbsolutePath().getParent();
    Tool.Result result = new Tool(words, folder == null ? output : folder, BOUND).run();
    if (result.status() != 0) {
      throw new HostException(
          "jlink cannot make a Java runtime of " + jdk + ": " + result.lastLine());
    }
  }
}
