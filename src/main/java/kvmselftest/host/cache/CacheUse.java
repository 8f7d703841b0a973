package kvmselftest.host.cache;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import kvmselftest.host.HostException;
import kvmselftest.host.Progress;
import org.jspecify.annotations.Nullable;

/**
 * That this process uses a cache folder: nobody deletes anything in it until it is closed or the
 * process has ended, however it ends. For any thread, and several in one process.
 *
 * <p>It is a lock on the file {@code users}, which users share. A file's lock belongs to the whole
 * process and goes with the first close of any of its files, hence one for all of a process.
 */
public final class CacheUse implements AutoCloseable {
  /** A process's open file of a cache folder. */
  private static final class Held {
    private final FileChannel file;
    private final FileLock lock;
    private int count;

    private Held(FileChannel file, FileLock lock) {
      this.file = file;
      this.lock = lock;
    }
  }

  private static final Map<Path, Held> HELD = new HashMap<>();

  private final CacheFolder cache;
  private final Progress progress;
  private boolean closed;

  private CacheUse(CacheFolder cache, Progress progress) {
    this.cache = cache;
    this.progress = progress;
  }

  /** Waits while another process empties the folder. */
  static CacheUse begin(CacheFolder cache, Progress progress) throws IOException {
    synchronized (HELD) {
      Held held = HELD.get(cache.root());
      if (held == null) {
        held = hold(cache.root(), progress);
        HELD.put(cache.root(), held);
      }
      held.count++;
    }
    return new CacheUse(cache, progress);
  }

  private static Held hold(Path root, Progress progress) throws IOException {
    FileChannel file = open(root);
    FileLock lock = file.tryLock(0, Long.MAX_VALUE, true);
    if (lock == null) {
      progress.step("waiting for another process that empties " + root);
      lock = file.lock(0, Long.MAX_VALUE, true);
    }
    return new Held(file, lock);
  }

  private static FileChannel open(Path root) throws IOException {
    Files.createDirectories(root);
    return FileChannel.open(
        root.resolve("users"),
        StandardOpenOption.CREATE,
        StandardOpenOption.READ,
        StandardOpenOption.WRITE);
  }

  /**
   * Does something while nobody uses the folder.
   *
   * @return nothing, and nothing is done, when somebody uses it
   */
  static <T> @Nullable T alone(Path root, CacheFolder.Action<T> action)
      throws IOException, HostException {
    synchronized (HELD) {
      if (HELD.containsKey(root)) {
        return null;
      }
      try (FileChannel file = open(root)) {
        return file.tryLock() == null ? null : action.run();
      }
    }
  }

  /** Ends the use; the last one makes room if the folder has grown beyond its bound. */
  @Override
  public void close() {
    synchronized (HELD) {
      if (closed) {
        return;
      }
      closed = true;
      Held held = Objects.requireNonNull(HELD.get(cache.root()));
      if (--held.count == 0) {
        HELD.remove(cache.root());
        end(held);
      }
    }
  }

  private void end(Held held) {
    try {
      held.lock.release();
      held.file.close();
      cache.trim(progress);
    } catch (IOException | HostException e) {
      progress.step("the cache folder " + cache.root() + " may have grown: " + e.getMessage());
    }
  }
}
