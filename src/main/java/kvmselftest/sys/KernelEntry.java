package kvmselftest.sys;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * The way into the kernel: {@code syscall(2)} without its last step, which is to move an error
 * number to errno. The kernel's result comes back as it is, {@code -errno} for a failure, and the
 * JVM has no errno to capture for every thread.
 *
 * <p>It is here for speed, as benchmark and start-up have it. An emulated CPU forgets its
 * translations at every entry into a guest, so that a KVM_RUN pays anew for each page of code and
 * data around it: with errno captured to where a ThreadLocal had it, a round trip took a tenth (C2)
 * to a fifth (C1) longer.
 */
@SuppressWarnings("restricted") // the bytes are ours and follow the System V calling convention
final class KernelEntry {
  private static final long SYS_MMAP = 9;
  private static final long SYS_MPROTECT = 10;
  private static final long PAGE_SIZE = 4096;

  /**
   * A function of a system call's number and six arguments. It moves them from where a function has
   * them to where the kernel looks for them (System V x86-64 ABI, section A.2.1); what the kernel
   * destroys, RCX and R11, a function may destroy.
   */
  private static final byte[] CODE = {
    0x48,
    (byte) 0x89,
    (byte) 0xf8, // mov rax, rdi
    0x48,
    (byte) 0x89,
    (byte) 0xf7, // mov rdi, rsi
    0x48,
    (byte) 0x89,
    (byte) 0xd6, // mov rsi, rdx
    0x48,
    (byte) 0x89,
    (byte) 0xca, // mov rdx, rcx
    0x4d,
    (byte) 0x89,
    (byte) 0xc2, // mov r10, r8
    0x4d,
    (byte) 0x89,
    (byte) 0xc8, // mov r8, r9
    0x4c,
    (byte) 0x8b,
    0x4c,
    0x24,
    0x08, // mov r9, [rsp + 8]
    0x0f,
    0x05, // syscall
    (byte) 0xc3 // ret
  };

  /** The shape of the C library's function and of ours: the JVM generates code for it once. */
  private static final FunctionDescriptor SHAPE =
      FunctionDescriptor.of(
          JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);

  private static final MethodHandle CALL = link(executable(CODE));

  private KernelEntry() {}

  /** Machine code of the same shape; it may block, and need not look at all its arguments. */
  static MethodHandle link(MemorySegment function) {
    return Linker.nativeLinker().downcallHandle(function, SHAPE, Linker.Option.firstVariadicArg(1));
  }

  /** A page of its own, by the C library's {@code syscall(2)}: there is no other way in yet. */
  private static MemorySegment executable(byte[] code) {
    MethodHandle bootstrap = link(Linker.nativeLinker().defaultLookup().findOrThrow("syscall"));
    long anonymous = Mapping.MAP_PRIVATE | Mapping.MAP_ANONYMOUS;
    long writable = Mapping.PROT_READ | Mapping.PROT_WRITE;
    long executable = Mapping.PROT_READ | Mapping.PROT_EXEC;
    try {
      long page =
          (long) bootstrap.invokeExact(SYS_MMAP, 0L, PAGE_SIZE, writable, anonymous, -1L, 0L);
      require(page != -1, "mmap of a page");
      MemorySegment function = MemorySegment.ofAddress(page).reinterpret(PAGE_SIZE);
      MemorySegment.copy(code, 0, function, JAVA_BYTE, 0, code.length);
      long result =
          (long) bootstrap.invokeExact(SYS_MPROTECT, page, PAGE_SIZE, executable, 0L, 0L, 0L);
      require(result == 0, "mprotect of a page to make it executable");
      return function;
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  private static void require(boolean done, String what) {
    if (!done) {
      throw new IllegalStateException(what + " failed; is executable memory forbidden here?");
    }
  }

  /** Makes a system call: what the kernel returns, {@code -errno} for a failure. */
  static long call(long number, long arg0, long arg1, long arg2, long arg3, long arg4, long arg5) {
    try {
      return (long) CALL.invokeExact(number, arg0, arg1, arg2, arg3, arg4, arg5);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  /** Calls what was linked here, with two arguments. */
  static long invoke(MethodHandle function, long arg0, long arg1) {
    try {
      return (long) function.invokeExact(arg0, arg1, 0L, 0L, 0L, 0L, 0L);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  /** What is unchecked passes as it is; no downcall throws anything else. */
  private static AssertionError unexpected(Throwable t) {
    if (t instanceof Error error) {
      throw error;
    }
    if (t instanceof RuntimeException exception) {
      throw exception;
    }
    return new AssertionError("a downcall does not throw", t);
  }
}
