package kvmselftest.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is left when the user ends the launcher: nothing. */
class CtrlCTest {
  @TempDir private Path folder;

  /** The program that is ended: it waits for a QEMU that never ends. */
  static final class Launcher {
    private Launcher() {}

    public static void main(String[] arguments) throws Exception {
      Path folder = Path.of(arguments[0]);
      HostRun run = new FakeQemu(folder).run("echo up >\"$results\"\nsleep 1000\n");
      try (WorkFolder work = WorkFolder.create(folder.resolve("runs"))) {
        new Boot(run, work.path(), Report.open(folder), System.out::println, System.out)
            .of(folder.resolve("initramfs"));
      }
    }
  }

  @Test
  void endsQemuAndLeavesNoFile() throws Exception {
    Process launcher = start();
    try (BufferedReader out = launcher.inputReader()) {
      assertTrue(out.readLine().startsWith("booted"));
      interrupt(launcher);
      assertTrue(launcher.waitFor(20, TimeUnit.SECONDS));
    } finally {
      launcher.destroyForcibly();
    }

    assertFalse(new FakeQemu(folder).isAlive());
    assertEquals("no verdict\n", Files.readString(folder.resolve("verdict")));
    try (Stream<Path> left = Files.list(folder.resolve("runs"))) {
      assertEquals(List.of(), left.toList());
    }
  }

  private Process start() throws Exception {
    return new ProcessBuilder(
            // A build started in the background ignores SIGINT, and so would its children.
            "env",
            "--default-signal=INT",
            Path.of(System.getProperty("java.home"), "bin/java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-cp",
            System.getProperty("java.class.path"),
            Launcher.class.getName(),
            folder.toString())
        .redirectErrorStream(true)
        .start();
  }

  /** As a terminal does; Java itself can only send SIGTERM. */
  private static void interrupt(Process process) throws Exception {
    new ProcessBuilder("sh", "-c", "kill -INT " + process.pid()).start().waitFor();
  }
}
