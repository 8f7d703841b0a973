package kvmselftest.sys;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;
import org.jspecify.annotations.Nullable;

/**
 * The system calls that this package makes. All follow one convention, the kernel's own: a result
 * of 0 or more on success, {@code -errno} on failure. None retries, none throws; any thread may
 * make any of them.
 *
 * <p>Two traps of calling Linux through java.lang.foreign are dealt with here and in {@link
 * KernelEntry} and nowhere else: a generated binding captures no errno, and functions such as
 * {@code ioctl(2)} are variadic, which the linker has to be told even where the platform's calling
 * convention looks the same.
 *
 * <p>They go through {@link KernelEntry}, one function of one shape, because the JVM generates code
 * for every shape it links: a dozen of them cost seconds at every start on an emulated CPU. What
 * must not be a raw system call is the C library's, linked when it is first used.
 */
@SuppressWarnings("restricted") // the one place (with Mapping and MachineCode) that goes native
final class Libc {
  // asm-generic/fcntl.h
  static final int O_WRONLY = 1;
  static final int O_RDWR = 2;
  private static final int O_CLOEXEC = 0x80000;

  // arch/x86/entry/syscalls/syscall_64.tbl
  private static final long SYS_OPEN = 2;
  private static final long SYS_CLOSE = 3;
  private static final long SYS_MMAP = 9;
  private static final long SYS_MPROTECT = 10;
  private static final long SYS_MUNMAP = 11;
  private static final long SYS_IOCTL = 16;
  private static final long SYS_GETTID = 186;
  private static final long SYS_SCHED_SETAFFINITY = 203;
  private static final long SYS_SCHED_GETAFFINITY = 204;
  private static final long SYS_TGKILL = 234;

  private static final Linker LINKER = Linker.nativeLinker();
  private static final MemoryLayout CAPTURE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      CAPTURE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
  private static final Linker.Option CAPTURE_ERRNO = Linker.Option.captureCallState("errno");

  /**
   * Where the linker puts errno: one for each thread, since two vCPUs may fail at once. An
   * automatic arena frees it after its thread.
   */
  private static final ThreadLocal<MemorySegment> CAPTURED =
      ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(CAPTURE));

  private Libc() {}

  private static int syscall(long number, long arg0, long arg1, long arg2) {
    return (int) KernelEntry.call(number, arg0, arg1, arg2, 0, 0, 0);
  }

  private static long orErrno(long result, MemorySegment captured) {
    return result == -1 ? -(int) ERRNO.get(captured, 0L) : result;
  }

  /** An Error passes as it is (out of memory, say); no downcall throws anything else. */
  private static AssertionError unexpected(Throwable t) {
    if (t instanceof Error error) {
      throw error;
    }
    return new AssertionError("a downcall does not throw", t);
  }

  /** {@code open(2)}, always with O_CLOEXEC. */
  static int open(String path, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      return syscall(SYS_OPEN, arena.allocateFrom(path).address(), flags | O_CLOEXEC, 0);
    }
  }

  /** {@code close(2)}. */
  static int close(int fd) {
    return syscall(SYS_CLOSE, fd, 0, 0);
  }

  /** {@code ioctl(2)} with an integer argument, or none (0). */
  static int ioctl(int fd, long request, long value) {
    return syscall(SYS_IOCTL, fd, request, value);
  }

  /** {@code ioctl(2)} with a pointer argument. */
  static int ioctl(int fd, long request, MemorySegment pointer) {
    try {
      return syscall(SYS_IOCTL, fd, request, pointer.address());
    } finally {
      Reference.reachabilityFence(pointer); // what is passed on is only a number
    }
  }

  /** {@code mmap(2)} at an address of the kernel's choice: the address, or {@code -errno}. */
  static long mmap(long length, int protection, int flags, int fd) {
    return KernelEntry.call(SYS_MMAP, 0, length, protection, flags, fd, 0);
  }

  /** {@code munmap(2)}. */
  static int munmap(long address, long length) {
    return syscall(SYS_MUNMAP, address, length, 0);
  }

  /** {@code mprotect(2)}. */
  static int mprotect(long address, long length, int protection) {
    return syscall(SYS_MPROTECT, address, length, protection);
  }

  /** {@code gettid(2)}. */
  static int gettid() {
    return syscall(SYS_GETTID, 0, 0, 0);
  }

  /** {@code tgkill(2)}. */
  static int tgkill(int pid, int tid, int signal) {
    return syscall(SYS_TGKILL, pid, tid, signal);
  }

  /** {@code sched_setaffinity(2)} of the calling thread, a bit for each CPU. */
  static int schedSetaffinity(MemorySegment mask) {
    return syscall(SYS_SCHED_SETAFFINITY, 0, mask.byteSize(), mask.address());
  }

  /**
   * {@code sched_getaffinity(2)} of the calling thread: how many bytes of the mask were written.
   */
  static int schedGetaffinity(MemorySegment mask) {
    return syscall(SYS_SCHED_GETAFFINITY, 0, mask.byteSize(), mask.address());
  }

  /**
   * {@code clock_gettime(2)} into a {@code struct timespec}: the C library's, which needs no
   * kernel.
   */
  static int clockGettime(int clock, MemorySegment timespec) {
    MemorySegment captured = CAPTURED.get();
    try {
      return (int)
          orErrno((int) ClockGettime.HANDLE.invokeExact(captured, clock, timespec), captured);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  /** Where that function is, for machine code that calls it. */
  static long clockGettimeAddress() {
    return LINKER.defaultLookup().findOrThrow("clock_gettime").address();
  }

  private static final class ClockGettime {
    static final MethodHandle HANDLE =
        LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("clock_gettime"),
            FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS),
            CAPTURE_ERRNO);
  }

  /** {@code sigaction(2)}: the C library's, which knows how a handler returns. */
  static int sigaction(int signal, MemorySegment action) {
    MemorySegment captured = CAPTURED.get();
    try {
      return (int)
          orErrno(
              (int) Sigaction.HANDLE.invokeExact(captured, signal, action, MemorySegment.NULL),
              captured);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  private static final class Sigaction {
    static final MethodHandle HANDLE =
        LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("sigaction"),
            FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, ADDRESS),
            CAPTURE_ERRNO);
  }

  /** {@code strerror(3)}. */
  static String strerror(int errno) {
    String text = string(Strerror.TEXT, errno);
    return text == null ? "Unknown error " + errno : text;
  }

  /** {@code strerrorname_np(3)}: {@code EINVAL} for 22; null for a number without a name. */
  static @Nullable String strerrorName(int errno) {
    return Strerror.NAME == null ? null : string(Strerror.NAME, errno);
  }

  private static final class Strerror {
    static final MethodHandle TEXT = link("strerror");

    /** Since glibc 2.32; other C libraries may lack it. */
    static final @Nullable MethodHandle NAME =
        LINKER.defaultLookup().find("strerrorname_np").isPresent() ? link("strerrorname_np") : null;

    private static MethodHandle link(String function) {
      return LINKER.downcallHandle(
          LINKER.defaultLookup().findOrThrow(function), FunctionDescriptor.of(ADDRESS, JAVA_INT));
    }
  }

  private static @Nullable String string(MethodHandle function, int errno) {
    try {
      MemorySegment text = (MemorySegment) function.invokeExact(errno);
      return text.address() == 0 ? null : text.reinterpret(Long.MAX_VALUE).getString(0);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }
}
