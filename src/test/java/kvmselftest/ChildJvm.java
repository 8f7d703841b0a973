package kvmselftest;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A program of a test in a JVM of its own, to be ended as a user ends it. */
public final class ChildJvm implements AutoCloseable {
  private final Process process;
  private final BufferedReader out;

  private ChildJvm(Process process) {
    this.process = process;
    this.out = process.inputReader();
  }

  /** Starts a class's main method, with this JVM's class path. */
  public static ChildJvm start(Class<?> program, String... arguments) throws IOException {
    Stream<String> words =
        Stream.of(
            // A build started in the background ignores SIGINT, and so would its children.
            "env",
            "--default-signal=INT",
            Path.of(System.getProperty("java.home"), "bin/java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-cp",
            System.getProperty("java.class.path"),
            program.getName());
    List<String> command = Stream.concat(words, Stream.of(arguments)).toList();
    return new ChildJvm(new ProcessBuilder(command).redirectErrorStream(true).start());
  }

  /** Reads on until it says this. */
  public void await(String beginOfLine) throws IOException {
    StringBuilder said = new StringBuilder();
    for (String line = out.readLine(); line != null; line = out.readLine()) {
      if (line.startsWith(beginOfLine)) {
        return;
      }
      said.append(line).append('\n');
    }
    fail("ended before it said '" + beginOfLine + "': " + said);
  }

  /** Presses Ctrl-C, and waits for the end; what it says until then. */
  public String interrupt() throws IOException, InterruptedException {
    // As a terminal does; Java itself can only send SIGTERM.
    new ProcessBuilder("sh", "-c", "kill -INT " + process.pid()).start().waitFor();
    String said = out.lines().collect(Collectors.joining("\n", "", "\n"));
    assertTrue(process.waitFor(20, TimeUnit.SECONDS), said);
    return said;
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
