package kvmselftest.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

class GuestBlobTest {
  private static final Path SOURCES =
      Path.of(Objects.requireNonNullElse(System.getProperty("kvmselftest.basedir"), "."))
          .resolve("guest-blobs");

  @Test
  void unknownBlobIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> GuestBlob.named("no_such_test"));
  }

  @Test
  void blobThatIsNoGuestIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> GuestBlob.named("host_tsc"));
  }

  @Test
  void committedBlobsAreWhatTheirSourcesSay() throws IOException, InterruptedException {
    for (String tool : new String[] {"make", "as", "ld"}) {
      Assumptions.assumeTrue(
          isOnPath(tool), () -> tool + " is not on PATH: install make and binutils");
    }
    Process make =
        new ProcessBuilder("make", "-s", "-C", SOURCES.toString(), "check")
            .redirectErrorStream(true)
            .start();
    String output = new String(make.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, make.waitFor(), output);
  }

  private static boolean isOnPath(String tool) {
    return Stream.of(System.getenv("PATH").split(":"))
        .anyMatch(folder -> Files.isExecutable(Path.of(folder, tool)));
  }
}
