package kvmselftest.host.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class InitTest {
  private static final String INIT =
      Path.of(
              System.getProperty("kvmselftest.basedir", "."),
              "src/main/resources/kvmselftest/host/image/init")
          .toString();

  @Test
  void isGoodShell() throws Exception {
    assertEquals("", output("sh", "-n", INIT));
  }

  @Test
  void satisfiesShellcheck() throws Exception {
    assumeTrue(installed(), "shellcheck is not installed; its package has the same name");

    assertEquals("", output("shellcheck", "-s", "sh", INIT));
  }

  private static boolean installed() throws InterruptedException {
    try {
      return new ProcessBuilder("shellcheck", "--version")
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException e) {
      return false;
    }
  }

  private static String output(String... words) throws IOException {
    Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
    return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
  }
}
