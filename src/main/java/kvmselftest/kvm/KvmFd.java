package kvmselftest.kvm;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import kvmselftest.sys.Errno;
import kvmselftest.sys.Fd;
import kvmselftest.sys.IoctlSequence;
import kvmselftest.sys.Mapping;
import kvmselftest.sys.SyscallException;

/**
 * One of KVM's file descriptors and its ioctls, each in two forms: one that throws when the kernel
 * refuses, and one that returns the refusal, for tests that expect it. EINTR is retried.
 */
final class KvmFd implements AutoCloseable {
  private final Fd fd;

  KvmFd(Fd fd) {
    this.fd = fd;
  }

  /**
   * @throws SyscallException naming the ioctl, the file and the errno
   */
  int ioctl(Ioctl ioctl, long value) {
    return checked(ioctl, retried(ioctl, value));
  }

  int ioctl(Ioctl ioctl, MemorySegment argument) {
    return checked(ioctl, retried(ioctl, argument));
  }

  /** The errno with which the kernel refuses; empty if it does not. */
  Optional<Errno> tryIoctl(Ioctl ioctl, long value) {
    return refusal(retried(ioctl, value));
  }

  Optional<Errno> tryIoctl(Ioctl ioctl, MemorySegment argument) {
    return refusal(retried(ioctl, argument));
  }

  /** Without the retry: 0 or more, or {@code -errno}. */
  int ioctlOnce(Ioctl ioctl, long value) {
    return fd.ioctl(ioctl.request(), value);
  }

  /** An ioctl to be made as one of several in a row. */
  IoctlSequence.Step step(Ioctl ioctl, MemorySegment argument) {
    return new IoctlSequence.IoctlStep(fd, ioctl.request(), argument);
  }

  /** The file descriptor that an ioctl makes, such as KVM_CREATE_VM. */
  KvmFd ioctlFd(Ioctl ioctl, long value, String made) {
    while (true) {
      try {
        return new KvmFd(fd.ioctlFd(ioctl + " on " + fd, ioctl.request(), value, made));
      } catch (SyscallException e) {
        if (!e.errno().equals(Errno.EINTR)) {
          throw e;
        }
      }
    }
  }

  Mapping map(long size) {
    return fd.map(size);
  }

  boolean isClosed() {
    return fd.isClosed();
  }

  @Override
  public void close() {
    fd.close();
  }

  /** Closes; {@code disturb} is called again and again while an ioctl is still under way. */
  void close(Runnable disturb) {
    fd.close(disturb);
  }

  private int retried(Ioctl ioctl, long value) {
    int result;
    do {
      result = fd.ioctl(ioctl.request(), value);
    } while (result == -Errno.EINTR.number());
    return result;
  }

  private int retried(Ioctl ioctl, MemorySegment argument) {
    int result;
    do {
      result = fd.ioctl(ioctl.request(), argument);
    } while (result == -Errno.EINTR.number());
    return result;
  }

  private int checked(Ioctl ioctl, int result) {
    if (result < 0) {
      throw new SyscallException(ioctl + " on " + fd, new Errno(-result));
    }
    return result;
  }

  private static Optional<Errno> refusal(int result) {
    return result < 0 ? Optional.of(new Errno(-result)) : Optional.empty();
  }

  @Override
  public String toString() {
    return fd.toString();
  }
}
