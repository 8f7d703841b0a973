package kvmselftest.host.bochs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FollowedFileTest {
  @TempDir private Path folder;

  @Test
  void allThatIsWrittenBeforeTheEndIsRead() throws Exception {
    assertEquals("ab", read("sleep 0.1; printf a >file; sleep 0.2; printf b >>file"));
  }

  @Test
  void whatIsNeverThereIsEmpty() throws Exception {
    assertEquals("", read("exit 0"));
  }

  private String read(String script) throws Exception {
    Process writer =
        new ProcessBuilder("sh", "-c", script).directory(folder.toFile()).inheritIO().start();
    try (FollowedFile file = new FollowedFile(folder.resolve("file"), writer)) {
      byte[] bytes =
          Assertions.assertTimeoutPreemptively(Duration.ofSeconds(30), file::readAllBytes);
      return new String(bytes, StandardCharsets.UTF_8);
    } finally {
      writer.destroyForcibly();
    }
  }
}
