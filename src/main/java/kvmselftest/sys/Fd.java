package kvmselftest.sys;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * An open file descriptor, owned. Any thread may use and close it: closing first turns new calls
 * away, then waits for those under way, so that a number which the kernel has given to somebody
 * else in the meantime is never used.
 */
public final class Fd implements AutoCloseable {
  private static final int CLOSED = 1 << 31;
  private static final long POLL_NANOS = Duration.ofMillis(1).toNanos();

  private final int number;
  private final String name;

  /** Calls under way, and the sign bit once closing has begun. */
  private final AtomicInteger users = new AtomicInteger();

  private Fd(int number, String name) {
    this.number = number;
    this.name = name;
  }

  /**
   * Opens a file for reading and writing.
   *
   * @throws SyscallException as {@code open(2)} fails
   */
  public static Fd open(String path) {
    return of(Libc.open(path, Libc.O_RDWR), "open(" + path + ")", path);
  }

  /** Takes ownership of the result of a call that returns a file descriptor or {@code -errno}. */
  private static Fd of(int result, String call, String name) {
    if (result < 0) {
      throw new SyscallException(call, new Errno(-result));
    }
    return new Fd(result, name);
  }

  /**
   * {@code ioctl(2)} that makes another file descriptor.
   *
   * @param call what is asked, for the message of a failure
   * @param made what is made, for the messages of its own failures
   * @throws SyscallException as the ioctl fails
   */
  public Fd ioctlFd(String call, long request, long value, String made) {
    return of(ioctl(request, value), call, made);
  }

  /**
   * {@code ioctl(2)} with an integer argument (0 for none), once.
   *
   * @return 0 or more as the ioctl answers, {@code -errno} when it fails
   * @throws IllegalStateException if this is closed
   */
  public int ioctl(long request, long value) {
    acquire();
    try {
      return Libc.ioctl(number, request, value);
    } finally {
      release();
    }
  }

  /** {@code ioctl(2)} with a pointer argument, otherwise as {@link #ioctl(long, long)}. */
  public int ioctl(long request, MemorySegment pointer) {
    acquire();
    try {
      return Libc.ioctl(number, request, pointer);
    } finally {
      release();
    }
  }

  /** Keeps the file open until {@link #release()}. */
  public void acquire() {
    int before = users.getAndIncrement();
    if (before < 0) {
      users.getAndDecrement();
      throw new IllegalStateException(name + " is closed");
    }
  }

  /** Ends what {@link #acquire()} began. */
  public void release() {
    users.getAndDecrement();
  }

  public boolean isClosed() {
    return users.get() < 0;
  }

  /** The kernel's number for it; to be used between {@link #acquire()} and {@link #release()}. */
  int number() {
    return number;
  }

  /** Maps the file's first {@code size} bytes, shared, for reading and writing. */
  public Mapping map(long size) {
    acquire();
    try {
      return Mapping.shared(number, size, name);
    } finally {
      release();
    }
  }

  @Override
  public void close() {
    close(() -> {});
  }

  /**
   * Closes the file once nobody uses it; a second call does nothing.
   *
   * @param disturb called every millisecond while a call is still under way, to end it
   */
  public void close(Runnable disturb) {
    if (users.getAndUpdate(n -> n | CLOSED) < 0) {
      return;
    }
    while (users.get() != CLOSED) {
      disturb.run();
      LockSupport.parkNanos(POLL_NANOS);
    }
    // Linux frees the number whatever close(2) returns, so there is nothing to do about an error.
    Libc.close(number);
  }

  @Override
  public String toString() {
    return name;
  }
}
