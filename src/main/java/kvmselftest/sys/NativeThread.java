package kvmselftest.sys;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.List;

/** A thread of the kernel's, by its thread ID: one that can be taken out of a system call. */
public record NativeThread(int tid) {
  /**
   * The signal that interrupts. The JVM leaves the real-time signals alone except {@code __SIGRTMAX
   * - 2}; the C library keeps 32 and 33 to itself.
   */
  private static final int SIGNAL = 40;

  private static final int PID = Math.toIntExact(ProcessHandle.current().pid());

  /** struct sigaction of glibc on x86-64: handler at 0, mask (128 bytes) at 8, flags at 136. */
  private static final int SIGACTION_SIZE = 152;

  private static final int RET = 0xc3;

  /** Installs the handler when the first thread is to be interrupted: few runs ever get there. */
  private static final class Handler {
    // A single `ret`: it has only to exist, so that the signal ends the system call with EINTR and
    // not the process. No Java code ever runs in a signal handler.
    private static final MachineCode CODE = new MachineCode(new byte[] {(byte) RET});

    static {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment action = arena.allocate(SIGACTION_SIZE, 8);
        action.set(JAVA_LONG, 0, CODE.segment().address());
        action.set(JAVA_INT, 136, 0); // no SA_RESTART: the call shall return
        int result = Libc.sigaction(SIGNAL, action);
        if (result < 0) {
          throw new SyscallException("sigaction(" + SIGNAL + ")", new Errno(-result));
        }
      }
    }

    private Handler() {}

    /** Returns once the handler is there, or throws what keeps it from being there. */
    static void require() {
      // Calling it is enough: the class is initialized first.
    }
  }

  /** The calling thread. */
  public static NativeThread current() {
    return new NativeThread(Libc.gettid());
  }

  /** Makes a blocking system call of this thread return EINTR; does nothing if it has ended. */
  public void interruptSystemCall() {
    Handler.require();
    Libc.tgkill(PID, tid, SIGNAL);
  }

  /** Room for the CPU masks of 1,024 CPUs, as the C library has it. */
  private static final int CPU_MASK_SIZE = 128;

  /** The CPUs that the calling thread may run on, in ascending order. */
  public static List<Integer> allowedCpus() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment mask = arena.allocate(CPU_MASK_SIZE, Long.BYTES);
      int written = Libc.schedGetaffinity(mask);
      if (written < 0) {
        throw new SyscallException("sched_getaffinity", new Errno(-written));
      }
      return BitSet.valueOf(mask.asByteBuffer()).stream().boxed().toList();
    }
  }

  /**
   * Keeps the calling thread on these CPUs from now on.
   *
   * @throws SyscallException EINVAL if it may run on none of them
   */
  public static void allowCpus(List<Integer> cpus) {
    BitSet bits = new BitSet();
    cpus.forEach(bits::set);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment mask = arena.allocate(CPU_MASK_SIZE, Long.BYTES);
      byte[] bytes = bits.toByteArray();
      MemorySegment.copy(bytes, 0, mask, JAVA_BYTE, 0, bytes.length);
      int result = Libc.schedSetaffinity(mask);
      if (result < 0) {
        throw new SyscallException("sched_setaffinity to CPUs " + cpus, new Errno(-result));
      }
    }
  }
}
