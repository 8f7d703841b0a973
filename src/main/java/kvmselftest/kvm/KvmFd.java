package kvmselftest.kvm;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntSupplier;
import kvmselftest.sys.Errno;
import kvmselftest.sys.Fd;
import kvmselftest.sys.IoctlSequence;
import kvmselftest.sys.Mapping;
import kvmselftest.sys.SyscallException;
import kvmselftest.x86.HostTsc;
import org.jspecify.annotations.Nullable;

/**
 * One of KVM's file descriptors and its ioctls, each in two forms: one that throws when the kernel
 * refuses, and one that returns the refusal, for tests that expect it. EINTR is retried.
 */
final class KvmFd implements AutoCloseable {
  private static final AtomicInteger VMS = new AtomicInteger();
  private static final int NO_VM = 0;
  private static final int NO_VCPU = -1;

  private final Fd fd;

  /** For {@link ClockTrace}: the VM's number in this process, the vCPU's index. */
  private final int vm;

  private final int vcpu;

  /** Of the device itself. */
  KvmFd(Fd fd) {
    this(fd, NO_VM, NO_VCPU);
  }

  private KvmFd(Fd fd, int vm, int vcpu) {
    this.fd = fd;
    this.vm = vm;
    this.vcpu = vcpu;
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
  KvmStep step(Ioctl ioctl, MemorySegment argument) {
    return new KvmStep(this, ioctl, argument);
  }

  IoctlSequence.Step sequenceStep(Ioctl ioctl, MemorySegment argument) {
    return new IoctlSequence.IoctlStep(fd, ioctl.request(), argument);
  }

  /** The file descriptor that an ioctl makes, such as KVM_CREATE_VM. */
  KvmFd ioctlFd(Ioctl ioctl, long value, String made) {
    long before = ClockTrace.isOn() ? HostTsc.read() : 0;
    while (true) {
      try {
        KvmFd child = child(fd.ioctlFd(ioctl + " on " + fd, ioctl.request(), value, made), value);
        if (ClockTrace.isOn()) {
          child.trace(ioctl, null, value, 0, before, HostTsc.read(), false);
        }
        return child;
      } catch (SyscallException e) {
        if (!e.errno().equals(Errno.EINTR)) {
          throw e;
        }
      }
    }
  }

  /** The device makes VMs, a VM makes vCPUs. */
  private KvmFd child(Fd made, long value) {
    return vm == NO_VM
        ? new KvmFd(made, VMS.incrementAndGet(), NO_VCPU)
        : new KvmFd(made, vm, Math.toIntExact(value));
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
    return ClockTrace.isOn()
        ? traced(ioctl, null, value, () -> untraced(ioctl, value))
        : untraced(ioctl, value);
  }

  private int retried(Ioctl ioctl, MemorySegment argument) {
    return ClockTrace.isOn()
        ? traced(ioctl, argument, 0, () -> untraced(ioctl, argument))
        : untraced(ioctl, argument);
  }

  private int traced(Ioctl ioctl, @Nullable MemorySegment argument, long number, IntSupplier call) {
    long before = HostTsc.read();
    int result = call.getAsInt();
    trace(ioctl, argument, number, result, before, HostTsc.read(), false);
    return result;
  }

  /** Tells {@link ClockTrace} of an ioctl that was made. */
  void trace(
      Ioctl ioctl,
      @Nullable MemorySegment argument,
      long number,
      int result,
      long before,
      long after,
      boolean exact) {
    new TracedIoctl(ioctl, vm, vcpu, argument, number, result, before, after, exact).tell();
  }

  private int untraced(Ioctl ioctl, long value) {
    int result;
    do {
      result = fd.ioctl(ioctl.request(), value);
    } while (result == -Errno.EINTR.number());
    return result;
  }

  private int untraced(Ioctl ioctl, MemorySegment argument) {
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
