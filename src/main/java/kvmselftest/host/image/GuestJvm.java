package kvmselftest.host.image;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import kvmselftest.host.HostException;
import kvmselftest.host.JavaProgram;

/**
 * How a Java program is started in the image, and on the build machine when its AOT cache is made:
 * the JVM takes the cache only when collector, heap size and class path are the same in both.
 *
 * @param jars the class path on this machine, in its order
 */
record GuestJvm(List<Path> jars) {
  /** Where the runtime, the jars and the AOT cache are in the image. */
  static final String FOLDER = "host";

  static final String RUNTIME = "jre";
  static final String JARS = "lib";
  static final String AOT_CACHE = "suite.aot";

  /**
   * What was fastest under TCG, where every new page of code is translated first. See
   * docs/emulated-host.md for the figures.
   *
   * <ul>
   *   <li>C1 alone: C2's compiling costs more than its code saves in runs of seconds.
   *   <li>CompileThresholdScaling 0.3: interpreting costs more there than elsewhere, and a second
   *       CPU compiles beside the tests.
   *   <li>ArchiveRelocationMode 0: otherwise the JVM moves the AOT cache to a random address and
   *       patches all pointers in it, 8 s.
   *   <li>The same small heap in both places, so that the cached objects fit as they are.
   *   <li>UseAVX 0: the AOT cache holds code, made on this machine's CPU, that the emulated one
   *       must know, too; Bochs's without XSAVE has no AVX (SIGILL in an adapter).
   *   <li>UsePerfData off: no file in /tmp for jps and the like.
   * </ul>
   */
  static final List<String> OPTIONS =
      List.of(
          "-XX:+UseSerialGC",
          "-Xmx256m",
          "-XX:TieredStopAtLevel=1",
          "-XX:CompileThresholdScaling=0.3",
          "-XX:+UnlockDiagnosticVMOptions",
          "-XX:ArchiveRelocationMode=0",
          "-XX:UseAVX=0",
          "-XX:-UsePerfData",
          "--enable-native-access=ALL-UNNAMED");

  GuestJvm {
    jars = List.copyOf(jars);
  }

  /**
   * Checks that all are jars with different names.
   *
   * @throws HostException naming the first that is not
   */
  void check() throws HostException {
    for (Path jar : jars) {
      if (!jar.toString().endsWith(".jar") || !jar.toFile().isFile()) {
        throw new HostException(
            "the class path has " + jar + ", which is no jar; build the project's jars first");
      }
    }
    if (jars.stream().map(Path::getFileName).distinct().count() != jars.size()) {
      throw new HostException("two jars of the class path have the same name: " + jars);
    }
  }

  /** Relative to {@link #FOLDER}. */
  String classPath() {
    return jars.stream()
        .map(jar -> JARS + "/" + jar.getFileName())
        .collect(Collectors.joining(":"));
  }

  /**
   * The command line.
   *
   * @param java the java launcher
   * @param aot the option that makes or uses the AOT cache
   */
  List<String> command(String java, List<String> aot, JavaProgram program) {
    List<String> words = new ArrayList<>(List.of(java));
    words.addAll(aot);
    words.addAll(OPTIONS);
    words.addAll(program.jvmOptions());
    words.addAll(List.of("-cp", classPath(), program.mainClass()));
    words.addAll(program.arguments());
    return words;
  }
}
