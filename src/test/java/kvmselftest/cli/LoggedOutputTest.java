package kvmselftest.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LoggedOutputTest {
  @TempDir Path folder;

  @Test
  void goesToBothAtOnce() throws IOException {
    ByteArrayOutputStream shown = new ByteArrayOutputStream();
    Path file = folder.resolve("log");

    PrintStream out = LoggedOutput.to(new PrintStream(shown, true, StandardCharsets.UTF_8), file);
    out.println("booted in 3 s, ±1");
    out.write('x');

    assertEquals("booted in 3 s, ±1\nx", shown.toString(StandardCharsets.UTF_8));
    assertEquals(shown.toString(StandardCharsets.UTF_8), Files.readString(file));
  }
}
