package kvmselftest.host.debian;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import kvmselftest.host.HostException;
import kvmselftest.host.cache.CacheFolder;
import kvmselftest.host.debian.Distribution.Family;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UnpackedPackagesTest {
  @TempDir Path temp;
  private final List<String> lines = new ArrayList<>();

  @Test
  void usesWhatWasFetchedLately() throws Exception {
    Path fetched = fetchedDaysAgo(1);
    assertEquals(fetched, packages().get("some", Extent.PROGRAM, lines::add));
    assertEquals(List.of(), lines);
  }

  @Test
  void usesWhatIsOldWhenThereIsNoNewer() throws Exception {
    Path fetched = fetchedDaysAgo(100);
    assertEquals(fetched, packages().get("some", Extent.PROGRAM, lines::add));
    assertTrue(lines.getLast().startsWith("no newer some (cannot "), lines.toString());
  }

  @Test
  void saysWhyThereIsNone() {
    HostException e =
        assertThrows(HostException.class, () -> packages().get("some", Extent.PROGRAM, lines::add));
    assertTrue(e.getMessage().startsWith("cannot "), e.getMessage());
    assertFalse(e.getMessage().contains("\n"), e.getMessage());
  }

  @Test
  void keepsOfAKernelOnlyImageAndModules() {
    assertTrue(Extent.KERNEL.keeps("boot/vmlinuz-6.1"));
    assertTrue(Extent.KERNEL.keeps("usr/lib/modules/7.2/vmlinuz"));
    assertFalse(Extent.KERNEL.keeps("usr/share/doc/linux-image/copyright"));
  }

  private Path fetchedDaysAgo(int days) throws Exception {
    Path folder = Files.createDirectories(temp.resolve("cache/some_1_0"));
    LatestFolder latest = new LatestFolder(cache(), "some@list");
    latest.set(folder);
    Instant then = Instant.now().minus(Duration.ofDays(days));
    Files.setLastModifiedTime(temp.resolve("cache/latest/some@list"), FileTime.from(then));
    return folder;
  }

  /** From an archive that is not there: apt, if the machine has it, fails without a network. */
  private UnpackedPackages packages() {
    SourceList nowhere = SourceList.of(Family.DEBIAN, "file:" + temp.resolve("nowhere"), "list");
    return new UnpackedPackages("list", new PrivateApt(nowhere, temp.resolve("apt")), cache());
  }

  private CacheFolder cache() {
    return new CacheFolder(temp.resolve("cache"));
  }
}
