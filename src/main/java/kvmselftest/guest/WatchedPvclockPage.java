package kvmselftest.guest;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import kvmselftest.x86.PvclockPage;

/**
 * A vCPU's pvclock page, read again and again by a thread of the host while KVM writes it, as a
 * guest's other vCPUs may read it. Closing it ends the thread.
 */
public final class WatchedPvclockPage implements AutoCloseable {
  private final MemorySegment page;
  private final CompletableFuture<List<PvclockPage>> reading;
  private volatile boolean closing;
  private volatile int changes;

  private WatchedPvclockPage(MemorySegment page) {
    this.page = page;
    this.reading = new CompletableFuture<>();
  }

  /** Begins to read the page of the vCPU of this index. */
  public static WatchedPvclockPage start(ClockGuest guest, int vcpu) {
    WatchedPvclockPage watched = new WatchedPvclockPage(guest.pvclockMemory(vcpu));
    watched.reading.completeAsync(
        watched::read, task -> Thread.ofPlatform().daemon().name("pvclock-reader").start(task));
    return watched;
  }

  private List<PvclockPage> read() {
    List<PvclockPage> pages = new ArrayList<>();
    Optional<PvclockPage> last = Optional.empty();
    while (!closing) {
      Optional<PvclockPage> page = PvclockPage.tryRead(this.page);
      if (page.isPresent() && !page.equals(last)) {
        last = page;
        pages.add(page.get());
        changes = pages.size();
      }
    }
    return pages;
  }

  /** How many pages have been read so far that differ from the one before. Any thread. */
  public int changes() {
    return changes;
  }

  /** Ends the reading, and returns all that was read, each page that differs from the last. */
  public List<PvclockPage> stop() {
    closing = true;
    return VcpuThread.join(reading);
  }

  @Override
  public void close() {
    stop();
  }
}
