package kvmselftest.x86;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class PvclockWatchTest {
  private static final Duration BOUND = Duration.ofSeconds(20);
  private static final PvclockPage FIRST = new PvclockPage(6, 1, 2, 3, 4, 1);
  private static final PvclockPage SECOND = new PvclockPage(8, 10, 20, -30, -4, 3);

  @Test
  void readsEachPageOnceThatIsWholeByItsVersion() {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment page = arena.allocate(PvclockPage.SIZE, Long.BYTES);
      PvclockWatch watch = new PvclockWatch(arena, page, 3);
      FIRST.write(page);
      CompletableFuture<Void> reading = CompletableFuture.runAsync(watch::run);
      await(watch, 1);
      FIRST.withVersion(7).write(page); // which is being written, by its version
      SECOND.withVersion(7).write(page);
      SECOND.write(page);
      await(watch, 2);
      watch.stop();
      assertTimeoutPreemptively(BOUND, reading::join);

      assertEquals(List.of(FIRST, SECOND), watch.pages());
    }
  }

  /** What a kernel does that says nothing by the version. */
  @Test
  void readsWhatChangesUnderOneVersion() {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment page = arena.allocate(PvclockPage.SIZE, Long.BYTES);
      PvclockWatch watch = new PvclockWatch(arena, page, 2);
      FIRST.write(page);
      CompletableFuture<Void> reading = CompletableFuture.runAsync(watch::run);
      await(watch, 1);
      page.set(JAVA_INT, 24, 99);
      await(watch, 2);
      page.set(JAVA_INT, 24, 100);
      assertTimeoutPreemptively(BOUND, reading::join, "ends when it has no more room");

      assertEquals(List.of(FIRST, new PvclockPage(6, 1, 2, 99, 4, 1)), watch.pages());
    }
  }

  private static void await(PvclockWatch watch, int count) {
    assertTimeoutPreemptively(
        BOUND,
        () -> {
          while (watch.count() < count) {
            Thread.onSpinWait();
          }
        });
  }
}
