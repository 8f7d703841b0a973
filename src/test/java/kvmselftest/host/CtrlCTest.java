package kvmselftest.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import kvmselftest.ChildJvm;
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
    try (ChildJvm launcher = ChildJvm.start(Launcher.class, folder.toString())) {
      launcher.await("booted");
      launcher.interrupt();
    }

    assertFalse(new FakeQemu(folder).isAlive());
    assertEquals("no verdict\n", Files.readString(folder.resolve("verdict")));
    try (Stream<Path> left = Files.list(folder.resolve("runs"))) {
      assertEquals(List.of(), left.toList());
    }
  }
}
