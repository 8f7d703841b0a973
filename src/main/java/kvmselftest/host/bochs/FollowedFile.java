package kvmselftest.host.bochs;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A file that a process writes, read as it grows, from before it is there until the process has
 * ended and all is read. For one thread.
 */
final class FollowedFile extends InputStream {
  private static final long POLL_MILLIS = 50;

  private final Path file;
  private final Process writer;
  private @Nullable RandomAccessFile open;

  FollowedFile(Path file, Process writer) {
    this.file = file;
    this.writer = writer;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] bytes, int from, int length) throws IOException {
    while (true) {
      // Asked first: what is written before the end is there after it.
      boolean ended = !writer.isAlive();
      int size = readNow(bytes, from, length);
      if (size > 0 || length == 0) {
        return size;
      }
      if (ended) {
        return -1;
      }
      pause();
    }
  }

  private int readNow(byte[] bytes, int from, int length) throws IOException {
    if (open == null && Files.exists(file)) {
      open = new RandomAccessFile(file.toFile(), "r");
    }
    return open == null ? 0 : Math.max(0, open.read(bytes, from, length));
  }

  private static void pause() throws IOException {
    try {
      Thread.sleep(POLL_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException();
    }
  }

  @Override
  public void close() throws IOException {
    if (open != null) {
      open.close();
    }
  }
}
