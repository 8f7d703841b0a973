package kvmselftest.guest;

import java.lang.foreign.Arena;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import kvmselftest.x86.PvclockPage;
import kvmselftest.x86.PvclockWatch;

/**
 * A vCPU's pvclock page, read again and again by a thread of the host while KVM writes it. Closing
 * it ends the thread.
 */
public final class WatchedPvclockPage implements AutoCloseable {
  private final Arena arena = Arena.ofShared();
  private final PvclockWatch watch;
  private final CompletableFuture<Void> reading;

  private WatchedPvclockPage(ClockGuest guest, long gpa, int most) {
    watch = new PvclockWatch(arena, guest.pvclockMemory(gpa), most);
    reading =
        CompletableFuture.runAsync(
            watch::run, task -> Thread.ofPlatform().daemon().name("pvclock-watch").start(task));
  }

  /**
   * Begins to read the page at this address, a multiple of 4.
   *
   * @param most after how many different pages the reading ends by itself
   */
  public static WatchedPvclockPage start(ClockGuest guest, long gpa, int most) {
    return new WatchedPvclockPage(guest, gpa, most);
  }

  /** How many pages have been read so far that differ from the one before. Any thread. */
  public int changes() {
    return watch.count();
  }

  /** Ends the reading, and returns all that was read, each page that differs from the last. */
  public List<PvclockPage> stop() {
    end();
    return watch.pages();
  }

  private void end() {
    watch.stop();
    VcpuThread.join(reading);
  }

  @Override
  public void close() {
    end();
    arena.close();
  }
}
