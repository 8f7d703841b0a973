package kvmselftest.host.debian;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DebFileTest {
  @TempDir Path temp;

  @ParameterizedTest
  @ValueSource(strings = {"", ".gz", ".xz", ".zst"})
  void unpacksEveryCompression(String compression) throws Exception {
    DebFile deb =
        new DebBuilder(compression)
            .folder("./usr/")
            .folder("./usr/bin/")
            .program("./usr/bin/tool", "#!")
            .file("./usr/share/note", "text")
            .write(temp.resolve("a.deb"));
    deb.unpack(root(), any -> true);
    assertEquals("#!", Files.readString(root().resolve("usr/bin/tool")));
    assertTrue(Files.isExecutable(root().resolve("usr/bin/tool")));
    assertEquals("text", Files.readString(root().resolve("usr/share/note")));
    assertFalse(Files.isExecutable(root().resolve("usr/share/note")));
  }

  @Test
  void unpacksOnlyWhatIsWanted() throws Exception {
    DebFile deb =
        new DebBuilder(".gz").file("./a/x", "x").file("./b/y", "y").write(temp.resolve("a.deb"));
    deb.unpack(root(), path -> path.startsWith("a/"));
    assertTrue(Files.exists(root().resolve("a/x")));
    assertFalse(Files.exists(root().resolve("b")));
  }

  @Test
  void keepsLinksInsideAndDropsThoseThatLeadOut() throws Exception {
    DebFile deb =
        new DebBuilder(".gz")
            .file("./lib/real.so.1.2", "library")
            .link("./lib/real.so.1", "real.so.1.2")
            .link("./lib/absolute", "/etc/passwd")
            .link("./lib/out", "../../outside")
            .hardLink("./lib/same", "./lib/real.so.1.2")
            .write(temp.resolve("a.deb"));
    deb.unpack(root(), any -> true);
    assertEquals("library", Files.readString(root().resolve("lib/real.so.1")));
    assertEquals("library", Files.readString(root().resolve("lib/same")));
    assertFalse(Files.exists(root().resolve("lib/absolute"), LinkOption.NOFOLLOW_LINKS));
    assertFalse(Files.exists(root().resolve("lib/out"), LinkOption.NOFOLLOW_LINKS));
  }

  @Test
  void refusesFilesOutsideItsFolder() throws Exception {
    DebFile deb = new DebBuilder(".gz").file("./../outside", "x").write(temp.resolve("a.deb"));
    IOException e = assertThrows(IOException.class, () -> deb.unpack(root(), any -> true));
    assertTrue(String.valueOf(e.getMessage()).contains("outside"), e.toString());
    assertFalse(Files.exists(temp.resolve("outside")));
  }

  @Test
  void refusesFilesBehindALinkThatWasThereBefore() throws Exception {
    Files.createDirectories(temp.resolve("elsewhere"));
    Files.createSymbolicLink(root().resolve("way"), temp.resolve("elsewhere"));
    DebFile deb = new DebBuilder(".gz").file("./way/x", "x").write(temp.resolve("a.deb"));
    assertThrows(IOException.class, () -> deb.unpack(root(), any -> true));
    assertFalse(Files.exists(temp.resolve("elsewhere/x")));
  }

  @Test
  void refusesWhatIsCutShort() throws Exception {
    Path whole = temp.resolve("a.deb");
    DebFile deb = new DebBuilder(".xz").file("./x", "x".repeat(10_000)).write(whole);
    byte[] bytes = Files.readAllBytes(whole);
    Files.write(whole, Arrays.copyOf(bytes, bytes.length - 40));
    assertThrows(IOException.class, () -> deb.unpack(root(), any -> true));
  }

  @Test
  void refusesWhatIsNoPackage() throws Exception {
    Path file = Files.writeString(temp.resolve("a.deb"), "no package at all");
    assertThrows(IOException.class, () -> new DebFile(file).unpack(root(), any -> true));
  }

  private Path root() throws IOException {
    return Files.createDirectories(temp.resolve("root"));
  }
}
