package kvmselftest.x86;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PvclockWatchTest {
  private static final Duration BOUND = Duration.ofSeconds(20);
  private static final PvclockPage FIRST = new PvclockPage(6, 1, 2, 3, 4, 1);
  private static final PvclockPage SECOND = new PvclockPage(8, 10, 20, -30, -4, 3);

  private final Arena arena = Arena.ofShared();
  private final MemorySegment page = arena.allocate(PvclockPage.SIZE, Long.BYTES);
  private final PvclockWatch watch = new PvclockWatch(arena, page, 3);
  private CompletableFuture<Void> reading;

  @BeforeEach
  void startWithFirst() {
    FIRST.write(page);
    reading = CompletableFuture.runAsync(watch::run);
    await(1);
  }

  /** What machine code reads and writes must not be freed before it has ended. */
  @AfterEach
  void stop() {
    watch.stop();
    assertTimeoutPreemptively(BOUND, reading::join);
    arena.close();
  }

  @Test
  void readsEachPageOnceThatIsWholeByItsVersion() {
    FIRST.withVersion(7).write(page); // which is being written, by its version
    SECOND.withVersion(7).write(page);
    SECOND.write(page);
    await(2);

    assertEquals(List.of(FIRST, SECOND), watch.pages());
  }

  /** What a kernel does that says nothing by the version; the fourth page finds no room. */
  @Test
  void readsWhatChangesUnderOneVersionUntilThereIsNoMoreRoom() {
    page.set(JAVA_INT, 24, 98);
    await(2);
    page.set(JAVA_INT, 24, 99);
    await(3);
    page.set(JAVA_INT, 24, 100);
    assertTimeoutPreemptively(BOUND, reading::join);

    assertEquals(
        List.of(FIRST, new PvclockPage(6, 1, 2, 98, 4, 1), new PvclockPage(6, 1, 2, 99, 4, 1)),
        watch.pages());
  }

  private void await(int count) {
    assertTimeoutPreemptively(
        BOUND,
        () -> {
          while (watch.count() < count) {
            Thread.onSpinWait();
          }
        });
  }
}
