package kvmselftest.sys;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * The C library's functions that this package calls. All of them follow one convention, the
 * kernel's own: a result of 0 or more on success, {@code -errno} on failure. None retries, none
 * throws; any thread may call any of them.
 *
 * <p>Two traps of calling Linux through java.lang.foreign are dealt with here and nowhere else: a
 * generated binding captures no errno, and {@code ioctl(2)} and {@code open(2)} are variadic, which
 * the linker has to be told even where the platform's calling convention looks the same.
 */
@SuppressWarnings("restricted") // the one place (with Mapping and MachineCode) that goes native
final class Libc {
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

  private static final Linker.Option VARIADIC_FROM_2 = Linker.Option.firstVariadicArg(2);

  private static final MethodHandle OPEN =
      handle("open", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT), VARIADIC_FROM_2);
  private static final MethodHandle CLOSE =
      handle("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
  private static final MethodHandle IOCTL_VALUE =
      handle(
          "ioctl",
          FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG),
          VARIADIC_FROM_2);
  private static final MethodHandle IOCTL_POINTER =
      handle(
          "ioctl", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS), VARIADIC_FROM_2);
  private static final MethodHandle MMAP =
      handle(
          "mmap",
          FunctionDescriptor.of(
              JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
  private static final MethodHandle MUNMAP =
      handle("munmap", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG));
  private static final MethodHandle MPROTECT =
      handle("mprotect", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT));
  private static final MethodHandle CLOCK_GETTIME =
      handle("clock_gettime", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS));
  private static final MethodHandle SIGACTION =
      handle("sigaction", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, ADDRESS));
  private static final MethodHandle GETTID = handle("gettid", FunctionDescriptor.of(JAVA_INT));
  private static final MethodHandle TGKILL =
      handle("tgkill", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT));
  private static final MethodHandle SCHED_SETAFFINITY =
      handle("sched_setaffinity", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS));
  private static final MethodHandle STRERROR =
      LINKER.downcallHandle(
          LINKER.defaultLookup().findOrThrow("strerror"), FunctionDescriptor.of(ADDRESS, JAVA_INT));

  /** Since glibc 2.32; other C libraries may lack it. */
  private static final @Nullable MethodHandle STRERRORNAME_NP =
      LINKER
          .defaultLookup()
          .find("strerrorname_np")
          .map(f -> LINKER.downcallHandle(f, FunctionDescriptor.of(ADDRESS, JAVA_INT)))
          .orElse(null);

  // asm-generic/fcntl.h
  static final int O_RDWR = 2;
  private static final int O_CLOEXEC = 0x80000;

  private Libc() {}

  private static MethodHandle handle(
      String function, FunctionDescriptor descriptor, Linker.Option... options) {
    Linker.Option[] all = new Linker.Option[options.length + 1];
    all[0] = CAPTURE_ERRNO;
    System.arraycopy(options, 0, all, 1, options.length);
    return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(function), descriptor, all);
  }

  /** A downcall: given where errno goes, the function's result. */
  @FunctionalInterface
  private interface Downcall {
    long invoke(MemorySegment captured) throws Throwable;
  }

  private static long call(Downcall function) {
    MemorySegment captured = CAPTURED.get();
    try {
      return checked(function.invoke(captured), captured);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  private static long checked(long result, MemorySegment captured) {
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
      MemorySegment name = arena.allocateFrom(path);
      return (int) call(errno -> (int) OPEN.invokeExact(errno, name, flags | O_CLOEXEC, 0));
    }
  }

  /** {@code close(2)}. */
  static int close(int fd) {
    return (int) call(errno -> (int) CLOSE.invokeExact(errno, fd));
  }

  /** {@code ioctl(2)} with an integer argument, or none (0). */
  static int ioctl(int fd, long request, long value) {
    MemorySegment captured = CAPTURED.get(); // written out: this is the path of every KVM_RUN
    try {
      return (int) checked((int) IOCTL_VALUE.invokeExact(captured, fd, request, value), captured);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  /** {@code ioctl(2)} with a pointer argument. */
  static int ioctl(int fd, long request, MemorySegment pointer) {
    MemorySegment captured = CAPTURED.get();
    try {
      return (int)
          checked((int) IOCTL_POINTER.invokeExact(captured, fd, request, pointer), captured);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  /** {@code mmap(2)} at an address of the kernel's choice: the address, or {@code -errno}. */
  static long mmap(long length, int protection, int flags, int fd) {
    return call(errno -> (long) MMAP.invokeExact(errno, 0L, length, protection, flags, fd, 0L));
  }

  /** {@code munmap(2)}. */
  static int munmap(long address, long length) {
    return (int) call(errno -> (int) MUNMAP.invokeExact(errno, address, length));
  }

  /** {@code mprotect(2)}. */
  static int mprotect(long address, long length, int protection) {
    return (int) call(errno -> (int) MPROTECT.invokeExact(errno, address, length, protection));
  }

  /** {@code clock_gettime(2)} into a {@code struct timespec}. */
  static int clockGettime(int clock, MemorySegment timespec) {
    return (int) call(errno -> (int) CLOCK_GETTIME.invokeExact(errno, clock, timespec));
  }

  /** {@code sigaction(2)}; the old action is not wanted. */
  static int sigaction(int signal, MemorySegment action) {
    return (int)
        call(errno -> (int) SIGACTION.invokeExact(errno, signal, action, MemorySegment.NULL));
  }

  /** {@code gettid(2)}. */
  static int gettid() {
    return (int) call(errno -> (int) GETTID.invokeExact(errno));
  }

  /** {@code tgkill(2)}. */
  static int tgkill(int pid, int tid, int signal) {
    return (int) call(errno -> (int) TGKILL.invokeExact(errno, pid, tid, signal));
  }

  /** {@code sched_setaffinity(2)} with a mask of whole 64-bit words. */
  static int schedSetaffinity(int tid, MemorySegment mask) {
    return (int)
        call(errno -> (int) SCHED_SETAFFINITY.invokeExact(errno, tid, mask.byteSize(), mask));
  }

  /** {@code strerror(3)}. */
  static String strerror(int errno) {
    String text = string(STRERROR, errno);
    return text == null ? "Unknown error " + errno : text;
  }

  /** {@code strerrorname_np(3)}: {@code EINVAL} for 22; null for a number without a name. */
  static @Nullable String strerrorName(int errno) {
    return STRERRORNAME_NP == null ? null : string(STRERRORNAME_NP, errno);
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
