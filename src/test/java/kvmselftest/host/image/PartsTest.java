package kvmselftest.host.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import kvmselftest.host.cache.CacheFolder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PartsTest {
  private final List<String> steps = new ArrayList<>();
  private final Parts parts;
  private int made;

  PartsTest(@TempDir Path root) {
    parts = new Parts(new CacheFolder(root), steps::add);
  }

  @Test
  void isMadeOnceForAKey() throws Exception {
    Path first = get("1");
    assertEquals(first, get("1"));
    assertEquals(1, made);

    get("2");
    assertEquals(2, made);
    assertEquals(List.of(), steps);
  }

  @Test
  void isMadeAnewWhenDamaged() throws Exception {
    Path file = get("1");
    Files.write(file, new byte[3]);

    assertTrue(new Archive(get("1")).isWhole());
    assertEquals(2, made);
    assertEquals(List.of("the cached thing part of the image is damaged and made anew"), steps);
  }

  private Path get(String key) throws Exception {
    return parts
        .get(
            "thing",
            key,
            folder -> {
              made++;
              Archive.write(new ImageTree().folder("x"), Parts.file(folder));
            })
        .file();
  }
}
