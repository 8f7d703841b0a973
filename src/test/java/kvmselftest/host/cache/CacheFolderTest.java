package kvmselftest.host.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import kvmselftest.host.HostException;
import kvmselftest.host.Progress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CacheFolderTest {
  private static final Progress SILENT = line -> {};

  @TempDir Path temp;

  @Test
  void liesInXdgCacheHomeOrElseBelowHome() {
    assertEquals(
        Path.of("/x/kvm-clock-selftests"),
        CacheFolder.ofUser(Map.of("XDG_CACHE_HOME", "/x", "HOME", "/h")).root());
    assertEquals(
        Path.of("/h/.cache/kvm-clock-selftests"),
        CacheFolder.ofUser(Map.of("XDG_CACHE_HOME", "relative", "HOME", "/h")).root());
  }

  @Test
  void fillsOnce() throws Exception {
    AtomicInteger fills = new AtomicInteger();
    for (int i = 0; i < 3; i++) {
      Path folder = cache().folder("a", SILENT, counting(fills));
      assertEquals("whole", Files.readString(folder.resolve("file")));
    }
    assertEquals(1, fills.get());
  }

  @Test
  void fillsOnceForManyThreads() throws Exception {
    AtomicInteger fills = new AtomicInteger();
    Callable<Path> fill = () -> cache().folder("a", SILENT, counting(fills));
    try (var threads = Executors.newFixedThreadPool(4)) {
      for (Future<Path> folder : threads.invokeAll(List.of(fill, fill, fill, fill))) {
        assertTrue(Files.isDirectory(folder.get()));
      }
    }
    assertEquals(1, fills.get());
  }

  @Test
  void keepsNothingOfAFillThatFails() throws Exception {
    HostException e =
        assertThrows(
            HostException.class, () -> cache().folder("a", SILENT, CacheFolderTest::runOutOfDisk));
    assertTrue(e.getMessage().contains("No space left on device"), e.getMessage());
    assertFalse(Files.exists(temp.resolve("cache/a")));
    assertFalse(Files.exists(temp.resolve("cache/partial/a")));
  }

  @Test
  void clearsAwayWhatAKilledProcessLeft() throws Exception {
    Path left = Files.createDirectories(temp.resolve("cache/partial/a")).resolve("file");
    Files.writeString(left, "half");
    Path other = cache().folder("b", SILENT, counting(new AtomicInteger()));
    assertTrue(Files.exists(other));
    assertFalse(Files.exists(left));
  }

  @Test
  void saysWhyItCannotBeWritten() throws Exception {
    Files.writeString(temp.resolve("cache"), "a file");
    HostException e =
        assertThrows(
            HostException.class, () -> cache().folder("a", SILENT, counting(new AtomicInteger())));
    assertTrue(e.getMessage().startsWith("cannot write the cache folder"), e.getMessage());
    assertTrue(e.getMessage().contains("XDG_CACHE_HOME"), e.getMessage());
  }

  @Test
  void waitsForAnotherProcess() throws Exception {
    Files.createDirectories(temp.resolve("cache"));
    Process other = lockingProcess(temp.resolve("cache/lock"), false);
    List<String> lines = new ArrayList<>();
    cache()
        .exclusively(
            line -> {
              lines.add(line);
              other.destroy();
            },
            () -> lines);
    assertEquals(1, lines.size());
    assertTrue(lines.getFirst().startsWith("waiting for another process"), lines.getFirst());
  }

  /** A second JVM that takes the lock and keeps it until it is ended. */
  private Process lockingProcess(Path lock, boolean shared) throws IOException {
    Path source = temp.resolve("Holder.java");
    Files.writeString(
        source,
        """
        void main(String[] args) throws Exception {
          var file = java.nio.channels.FileChannel.open(Path.of(args[0]),
              java.nio.file.StandardOpenOption.CREATE, java.nio.file.StandardOpenOption.READ,
              java.nio.file.StandardOpenOption.WRITE);
          var lock = file.lock(0, Long.MAX_VALUE, Boolean.parseBoolean(args[1]));
          System.out.println(lock.isValid());
          Thread.sleep(60_000);
        }
        """
            .replace("Path.of", "java.nio.file.Path.of"));
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    Process process =
        new ProcessBuilder(
                java.toString(), source.toString(), lock.toString(), String.valueOf(shared))
            .start();
    assertEquals("true", process.inputReader().readLine());
    return process;
  }

  @Test
  void deletesWhatWasUsedLongestAgoWhenItHasGrown() throws Exception {
    CacheFolder cache = bounded(250);
    for (String name : List.of("a", "b", "c")) {
      fill100(cache, name, Instant.ofEpochSecond(1000 + name.charAt(0)));
    }
    cache.folder("a", SILENT, counting(new AtomicInteger()));
    List<String> lines = new ArrayList<>();

    cache.use(lines::add).close();

    assertTrue(Files.exists(temp.resolve("cache/a")));
    assertFalse(Files.exists(temp.resolve("cache/b")));
    assertTrue(Files.exists(temp.resolve("cache/c")));
    assertEquals(List.of("deleted, unused for longest: " + temp.resolve("cache/b")), lines);
  }

  @Test
  void deletesNothingBelowItsBound() throws Exception {
    CacheFolder cache = bounded(200);
    fill100(cache, "a", Instant.EPOCH);
    fill100(cache, "b", Instant.EPOCH);

    cache.use(SILENT).close();

    assertTrue(Files.exists(temp.resolve("cache/a")) && Files.exists(temp.resolve("cache/b")));
  }

  @Test
  void deletesNothingBeforeTheLastUseInThisProcessEnds() throws Exception {
    CacheFolder cache = bounded(50);
    fill100(cache, "a", Instant.EPOCH);
    CacheUse other = cache.use(SILENT);

    cache.use(SILENT).close();
    assertTrue(Files.exists(temp.resolve("cache/a")));

    other.close();
    assertFalse(Files.exists(temp.resolve("cache/a")));
  }

  @Test
  void deletesNothingWhileAnotherProcessUsesIt() throws Exception {
    CacheFolder cache = bounded(50);
    fill100(cache, "a", Instant.EPOCH);
    Process other = lockingProcess(temp.resolve("cache/users"), true);

    cache.use(SILENT).close();
    assertTrue(Files.exists(temp.resolve("cache/a")));
    HostException e = assertThrows(HostException.class, cache::clean);
    assertTrue(e.getMessage().contains("in use by another run"), e.getMessage());
    assertFalse(e.getMessage().contains("\n"), e.getMessage());

    // However it ends.
    other.destroyForcibly().waitFor();
    cache.use(SILENT).close();
    assertFalse(Files.exists(temp.resolve("cache/a")));
  }

  @Test
  void leavesSeededBugsAndNamesAlone() throws Exception {
    CacheFolder cache = bounded(10);
    fill100(cache, "seeded-bugs", Instant.EPOCH);
    fill100(cache, "latest", Instant.EPOCH);

    cache.use(SILENT).close();

    assertTrue(Files.exists(temp.resolve("cache/seeded-bugs")));
    assertTrue(Files.exists(temp.resolve("cache/latest")));
  }

  @Test
  void isEmptied() throws Exception {
    CacheFolder cache = bounded(1000);
    fill100(cache, "a", Instant.EPOCH);
    fill100(cache, "seeded-bugs", Instant.EPOCH);
    assertThrows(HostException.class, () -> cleanWhileUsed(cache));

    assertEquals(200, cache.clean());

    assertFalse(Files.exists(temp.resolve("cache/a")));
    assertFalse(Files.exists(temp.resolve("cache/seeded-bugs")));
    assertEquals(0, new CacheFolder(temp.resolve("none")).clean());
  }

  private static void cleanWhileUsed(CacheFolder cache) throws HostException {
    try (CacheUse _ = cache.use(SILENT)) {
      cache.clean();
    }
  }

  private static void fill100(CacheFolder cache, String name, Instant used) throws Exception {
    Path folder =
        cache.folder(name, SILENT, partial -> Files.write(partial.resolve("file"), new byte[100]));
    Files.setLastModifiedTime(folder, FileTime.from(used));
  }

  private CacheFolder bounded(long bytes) {
    return new CacheFolder(temp.resolve("cache"), new CacheBound(bytes));
  }

  private CacheFolder cache() {
    return new CacheFolder(temp.resolve("cache"));
  }

  private static CacheFolder.Filler counting(AtomicInteger fills) {
    return folder -> {
      fills.incrementAndGet();
      Files.writeString(folder.resolve("file"), "whole");
    };
  }

  private static void runOutOfDisk(Path folder) throws IOException {
    Files.writeString(folder.resolve("file"), "half");
    throw new IOException("No space left on device");
  }
}
