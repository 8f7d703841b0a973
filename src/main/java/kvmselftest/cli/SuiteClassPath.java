package kvmselftest.cli;

import java.io.File;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The jars that go into an emulated host: those of this JVM that a run in there uses. */
public final class SuiteClassPath {
  /** Libraries for making an emulated host and for showing what comes out of it. */
  private static final List<String> OUTSIDE_ONLY =
      List.of("archunit-", "commons-", "echarts-", "slf4j-", "xz-", "zstd-jni-");

  private SuiteClassPath() {}

  /** In the order of this JVM's class path. */
  public static List<Path> jars() {
    return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
        .map(Path::of)
        .filter(jar -> OUTSIDE_ONLY.stream().noneMatch(jar.getFileName().toString()::startsWith))
        .toList();
  }
}
