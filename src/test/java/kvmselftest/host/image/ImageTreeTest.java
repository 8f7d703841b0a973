package kvmselftest.host.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.commons.compress.archivers.cpio.CpioArchiveEntry;
import org.apache.commons.compress.archivers.cpio.CpioArchiveInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageTreeTest {
  @TempDir private Path folder;

  @Test
  void equalTreesGiveEqualBytesWhateverTheOrderAndTheTimes() throws Exception {
    Path source = Files.writeString(folder.resolve("source"), "content");
    ImageTree first =
        new ImageTree().put("a/b/c", ImageFile.of(source)).put("z", ImageFile.of("text"));
    byte[] before = bytes(first);
    Files.setLastModifiedTime(source, FileTime.fromMillis(1));
    ImageTree second =
        new ImageTree().put("z", ImageFile.of("text")).put("a/b/c", ImageFile.of(source));

    assertArrayEquals(before, bytes(second));
  }

  @Test
  void foldersComeBeforeWhatIsInThemAndAllIsRootsAndOfOneTime() throws Exception {
    byte[] bytes =
        bytes(
            new ImageTree()
                .put("bin/sh", ImageFile.linkTo("busybox"))
                .put("init", ImageFile.script(new byte[] {1, 2, 3})));

    List<String> seen = new ArrayList<>();
    try (CpioArchiveInputStream in = new CpioArchiveInputStream(new ByteArrayInputStream(bytes))) {
      for (CpioArchiveEntry e = in.getNextEntry(); e != null; e = in.getNextEntry()) {
        seen.add(e.getName() + " " + Long.toOctalString(e.getMode()) + " " + e.getSize());
        assertEquals(ImageTree.TIME, e.getTime());
        assertEquals(0, e.getUID() + e.getGID());
      }
    }
    assertEquals(List.of("bin 40755 0", "bin/sh 120777 7", "init 100755 3"), seen);
  }

  @Test
  void archiveEndsAtAMultipleOf4ForTheNextToFollow() throws Exception {
    assertEquals(0, bytes(new ImageTree().put("a", ImageFile.of("x"))).length % 4);
  }

  @Test
  void cutArchiveIsNotWhole() throws Exception {
    Path file = folder.resolve("a.cpio");
    Archive archive = Archive.write(new ImageTree().put("a", ImageFile.of("x".repeat(9999))), file);
    assertTrue(archive.isWhole());

    byte[] bytes = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(bytes, bytes.length - 1024));
    assertFalse(archive.isWhole());
  }

  private static byte[] bytes(ImageTree tree) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    tree.writeTo(out);
    return out.toByteArray();
  }
}
