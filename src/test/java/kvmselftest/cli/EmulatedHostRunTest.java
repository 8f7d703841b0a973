package kvmselftest.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import kvmselftest.host.cache.CacheFolder;
import kvmselftest.runner.ExitStatus;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmulatedHostRunTest {
  @Test
  void kernelThatIsNoneIsAWrongCommandLine(@TempDir Path folder) throws Exception {
    Options options = new Options();
    options.kernel =
        Files.writeString(folder.resolve("notes"), "no kernel\n".repeat(99)).toString();
    ByteArrayOutputStream out = new ByteArrayOutputStream();

    PrintStream console = new PrintStream(out, true, StandardCharsets.UTF_8);
    ExitStatus status =
        new EmulatedHostRun(new CacheFolder(folder.resolve("cache")))
            .run(options, List.of(), null, console, console);

    String said = out.toString(StandardCharsets.UTF_8);
    assertEquals(ExitStatus.USAGE, status, said);
    assertEquals(1, said.lines().count(), said);
    assertTrue(said.startsWith("error: kernel image " + options.kernel), said);
  }
}
