package kvmselftest.host;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WorkFolderTest {
  @TempDir private Path parent;

  @Test
  void isGoneWhenClosed() throws Exception {
    WorkFolder work = WorkFolder.create(parent);
    Files.createDirectories(work.path().resolve("a/b"));
    Files.writeString(work.path().resolve("a/b/c"), "x");

    work.close();

    assertFalse(Files.exists(work.path()));
  }

  @Test
  void thoseOfProcessesThatAreNoMoreAreDeleted() throws Exception {
    Process gone = new ProcessBuilder("true").start();
    gone.waitFor();
    Path orphan = Files.createDirectory(parent.resolve("run-" + gone.pid() + "-1"));
    Path another = Files.createDirectory(parent.resolve("run-1-1"));

    try (WorkFolder work = WorkFolder.create(parent)) {
      assertTrue(Files.exists(work.path()));
      assertFalse(Files.exists(orphan));
      assertTrue(Files.exists(another));
    }
  }
}
