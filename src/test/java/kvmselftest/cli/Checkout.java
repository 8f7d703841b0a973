package kvmselftest.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

/**
 * A folder with {@code run-selftests.sh} and little else: a JDK and a Maven that only say what they
 * were asked to do, so that the script can be watched without a build.
 */
final class Checkout {
  /** What the script may call, beside bash's own. */
  private static final List<String> TOOLS =
      List.of(
          "bash",
          "cat",
          "dirname",
          "find",
          "flock",
          "mkdir",
          "readlink",
          "rm",
          "sha256sum",
          "sleep",
          "sort",
          "tail",
          "touch",
          "xargs");

  private final Path root;
  private final Path bin;
  private final Path jdk;

  private Checkout(Path folder) {
    root = folder.resolve("a check out");
    bin = folder.resolve("bin");
    jdk = folder.resolve("jdk 25");
  }

  static Checkout in(Path folder) throws IOException {
    Checkout checkout = new Checkout(folder);
    Files.createDirectories(checkout.root.resolve("src"));
    Files.createDirectories(checkout.bin);
    for (String tool : TOOLS) {
      executable(checkout.bin.resolve(tool), "exec %s \"$@\"".formatted(whereIs(tool)));
    }
    Path original = Path.of(System.getProperty("kvmselftest.basedir", ".")).toAbsolutePath();
    Files.copy(original.resolve("run-selftests.sh"), checkout.script());
    Files.writeString(checkout.root.resolve("pom.xml"), "<project/>\n");
    checkout.jdk(25);
    checkout.java("printf '%s\\n' \"$@\"");
    checkout.mvn("echo built >>'%s/builds'".formatted(checkout.root));
    return checkout;
  }

  private static Path whereIs(String tool) {
    return List.of("/usr/bin", "/bin").stream()
        .map(folder -> Path.of(folder, tool))
        .filter(Files::isExecutable)
        .findFirst()
        .orElseThrow(() -> new IllegalStateException(tool + " is not installed"));
  }

  Path root() {
    return root;
  }

  Path script() {
    return root.resolve("run-selftests.sh");
  }

  /** Says of which release the JDK is. */
  void jdk(int release) throws IOException {
    executable(jdk.resolve("bin/javac"), "exit 1");
    Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"%d.0.1\"\n".formatted(release));
  }

  /** Says what {@code java} does. */
  void java(String command) throws IOException {
    executable(jdk.resolve("bin/java"), command);
  }

  /** Says what {@code mvn} does before it leaves the jars. */
  void mvn(String command) throws IOException {
    String jar = "target/kvm-clock-selftests-0.1.0";
    executable(
        bin.resolve("mvn"),
        """
        %s
        cd '%s' && mkdir -p target/lib && touch %s.jar %s-tests.jar target/lib/junit.jar
        """
            .formatted(command, root, jar, jar));
  }

  /** Makes it look like the unpacked archive, whose java says after -cp whose it is. */
  void makeArchive() throws IOException {
    executable(
        root.resolve("runtime/bin/java"),
        "for word; do [ \"$word\" != -cp ] || word=\"runtime's\"; echo \"$word\"; done");
    Path lib = Files.createDirectory(root.resolve("lib"));
    for (String jar : List.of("junit", "kvm-clock-selftests-9", "kvm-clock-selftests-9-tests")) {
      Files.createFile(lib.resolve(jar + ".jar"));
    }
    jdk(24);
    removeMvn();
  }

  void removeMvn() throws IOException {
    Files.delete(bin.resolve("mvn"));
  }

  int builds() throws IOException {
    Path builds = root.resolve("builds");
    return Files.exists(builds) ? Files.readAllLines(builds).size() : 0;
  }

  Ended run(String... arguments) throws IOException {
    return end(start(script(), arguments));
  }

  /** Starts the script by some name of it, in a folder of no importance. */
  Process start(Path script, String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(script.toString()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.directory(bin.toFile());
    Map<String, String> environment = builder.environment();
    environment.clear();
    environment.putAll(Map.of("PATH", bin.toString(), "JAVA_HOME", jdk.toString()));
    return builder.start();
  }

  static Ended end(Process process) throws IOException {
    String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      if (!process.waitFor(30, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new IllegalStateException("run-selftests.sh does not end: " + text);
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    return new Ended(process.exitValue(), text);
  }

  private static void executable(Path file, String command) throws IOException {
    Files.createDirectories(Objects.requireNonNull(file.getParent()));
    Files.writeString(file, "#!/bin/bash\n" + command + "\n");
    if (!file.toFile().setExecutable(true)) {
      throw new IOException("cannot make executable: " + file);
    }
  }

  /** How a run of the script ended: its status, and what it wrote to stdout and stderr. */
  record Ended(int status, String text) {}
}
