package kvmselftest.host.cache;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import kvmselftest.host.HostException;
import kvmselftest.host.Progress;

/**
 * Where what was fetched or made is kept from run to run. A folder in it is whole or not there: it
 * is filled under another name and renamed. Processes and threads may share it; only one fills it
 * at a time.
 */
public final class CacheFolder {
  /** Fills an empty folder. */
  @FunctionalInterface
  public interface Filler {
    void fill(Path folder) throws IOException, HostException;
  }

  /** Something to be done by one process at a time. */
  @FunctionalInterface
  public interface Action<T> {
    T run() throws IOException, HostException;
  }

  private static final String PARTIAL = "partial";
  private static final long MEGA = 1_000_000;
  private static final String ROOM_ADVICE =
      "make room or access there, or name another by XDG_CACHE_HOME";

  /** A file lock belongs to the whole JVM, so that threads need a lock of their own. */
  private static final ReentrantLock THREADS = new ReentrantLock();

  private final Path root;
  private final CacheBound bound;

  public CacheFolder(Path root) {
    this(root, CacheBound.STANDARD);
  }

  CacheFolder(Path root, CacheBound bound) {
    this.root = root.toAbsolutePath();
    this.bound = bound;
  }

  /** {@code kvm-clock-selftests} in XDG_CACHE_HOME or, when that is unset or relative, ~/.cache. */
  public static CacheFolder ofUser(Map<String, String> environment) {
    Path xdg = Path.of(environment.getOrDefault("XDG_CACHE_HOME", ""));
    Path base = xdg.isAbsolute() ? xdg : home(environment).resolve(".cache");
    return new CacheFolder(base.resolve("kvm-clock-selftests"));
  }

  private static Path home(Map<String, String> environment) {
    return Path.of(environment.getOrDefault("HOME", System.getProperty("user.home")));
  }

  public Path root() {
    return root;
  }

  /**
   * The folder of that name, filled now when it is not there yet.
   *
   * @param name one path element that says all that its content depends on
   */
  public Path folder(String name, Progress progress, Filler filler) throws HostException {
    Path folder = root.resolve(name);
    if (Files.isDirectory(folder)) {
      return used(folder);
    }
    return exclusively(
        progress, () -> Files.isDirectory(folder) ? folder : fill(name, folder, filler));
  }

  /** Notes that a folder in it is used now: what was used longest ago is deleted first. */
  public Path used(Path folder) {
    try {
      Files.setLastModifiedTime(folder, FileTime.from(Instant.now()));
    } catch (IOException e) {
      // It may be read-only here; then nothing is deleted, either.
    }
    return folder;
  }

  /**
   * Keeps everything in it from being deleted until the use is closed. Closing it makes room if
   * there is more in it than its bound, unless somebody else uses it.
   */
  public CacheUse use(Progress progress) throws HostException {
    try {
      return CacheUse.begin(this, progress);
    } catch (IOException e) {
      throw unwritable(e);
    }
  }

  /**
   * Deletes everything in it but the files that processes lock.
   *
   * @return how much it was, in bytes
   * @throws HostException when somebody uses it, or it cannot be deleted
   */
  public long clean() throws HostException {
    try {
      Long cleaned =
          Files.isDirectory(root) ? CacheUse.alone(root, this::deleteAll) : Long.valueOf(0);
      if (cleaned == null) {
        throw new HostException(
            "the cache folder "
                + root
                + " is in use by another run; try again when that has ended");
      }
      return cleaned;
    } catch (IOException e) {
      throw unwritable(e);
    }
  }

  private Long deleteAll() throws IOException {
    long size = FileTree.size(root);
    try (Stream<Path> files = Files.list(root)) {
      for (Path file : files.filter(Files::isDirectory).toList()) {
        FileTree.delete(file);
      }
    }
    return size;
  }

  /** Not while somebody uses it: whoever does will come by here. */
  void trim(Progress progress) throws IOException, HostException {
    List<Path> deleted = CacheUse.alone(root, () -> bound.keep(root));
    if (deleted != null) {
      deleted.forEach(folder -> progress.step("deleted, unused for longest: " + folder));
    }
  }

  private Path fill(String name, Path folder, Filler filler) throws IOException, HostException {
    Path partial = root.resolve(PARTIAL).resolve(name);
    Files.createDirectories(partial);
    Thread onExit = new Thread(() -> FileTree.deleteQuietly(partial));
    Runtime.getRuntime().addShutdownHook(onExit);
    try {
      filler.fill(partial);
      return Files.move(partial, folder, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      FileTree.deleteQuietly(partial);
      FileTree.removeHook(onExit);
    }
  }

  /**
   * Runs the action while no other process or thread fills this folder. May be nested.
   *
   * @throws HostException also when a file cannot be written (full disk, no permission)
   */
  public <T> T exclusively(Progress progress, Action<T> action) throws HostException {
    THREADS.lock();
    try {
      return THREADS.getHoldCount() > 1 ? action.run() : locked(progress, action);
    } catch (IOException e) {
      throw unwritable(e);
    } finally {
      THREADS.unlock();
    }
  }

  private HostException unwritable(IOException e) {
    return new HostException(
        "cannot write the cache folder " + root + ": " + reason(e) + "; " + ROOM_ADVICE, e);
  }

  /**
   * Checks that there is room for what is about to come, as some programs hang on a full disk.
   *
   * @param bytes how much
   */
  public void needRoom(long bytes) throws IOException, HostException {
    Files.createDirectories(root);
    long free = Files.getFileStore(root).getUsableSpace();
    if (free < bytes) {
      throw new HostException(
          "the disk of the cache folder %s is full: %d MB free, %d MB needed; %s"
              .formatted(root, free / MEGA, bytes / MEGA, ROOM_ADVICE));
    }
  }

  private <T> T locked(Progress progress, Action<T> action) throws IOException, HostException {
    Files.createDirectories(root);
    // Closing the file gives the lock back.
    try (FileChannel file =
        FileChannel.open(
            root.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      lock(file, progress);
      // Whoever was filling and holds the lock no more was killed.
      FileTree.delete(root.resolve(PARTIAL));
      return action.run();
    }
  }

  private void lock(FileChannel file, Progress progress) throws IOException {
    if (file.tryLock() == null) {
      progress.step("waiting for another process that fills " + root);
      file.lock();
    }
  }

  /** These exceptions' messages are no more than the file's name. */
  private static String reason(IOException e) {
    return switch (e) {
      case AccessDeniedException denied -> "permission denied for " + denied.getFile();
      case FileAlreadyExistsException exists -> exists.getFile() + " is no folder";
      case NoSuchFileException none -> none.getFile() + " is gone";
      default -> String.valueOf(e.getMessage());
    };
  }
}
