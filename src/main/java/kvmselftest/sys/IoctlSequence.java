package kvmselftest.sys;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.List;

/**
 * ioctls in a row, and readings of clocks among them, made by one piece of machine code
 * (guest-blobs/host_ioctls.s) that reads the host's TSC before each and after the last. What lies
 * between two readings is the kernel's time and not the JVM's: as short the first time, while the
 * JVM interprets, as it is later.
 *
 * <p>For one thread at a time.
 */
public final class IoctlSequence {
  private static final MethodHandle CODE =
      KernelEntry.link(MachineCode.named("host_ioctls").segment());

  // The words of a step, as the machine code has them.
  private static final long TSC = 0;
  private static final long FD = 8;
  private static final long REQUEST = 16;
  private static final long ARGUMENT = 24;
  private static final long RESULT = 32;
  private static final long FUNCTION = 40;
  private static final long STEP_SIZE = 48;

  private final List<Step> steps;
  private final MemorySegment words;

  /** What is done between two readings of the host's TSC. */
  public sealed interface Step {}

  /**
   * One ioctl.
   *
   * @param argument what it is given a pointer to; {@link MemorySegment#NULL} for none
   */
  public record IoctlStep(Fd file, long request, MemorySegment argument) implements Step {}

  /**
   * {@code clock_gettime(2)}, the C library's, which needs no kernel for the clocks that are read
   * most.
   *
   * @param timespec where the time is written, {@link Clock#TIMESPEC_SIZE} bytes
   */
  public record ClockStep(Clock clock, MemorySegment timespec) implements Step {}

  public IoctlSequence(List<? extends Step> steps) {
    this.steps = List.copyOf(steps);
    this.words = Arena.ofAuto().allocate(steps.size() * STEP_SIZE, Long.BYTES);
    for (int i = 0; i < steps.size(); i++) {
      switch (this.steps.get(i)) {
        case IoctlStep ioctl -> write(i, ioctl);
        case ClockStep clock -> write(i, clock);
      }
    }
  }

  private void write(int i, IoctlStep step) {
    set(i, FD, step.file.number());
    set(i, REQUEST, step.request);
    set(i, ARGUMENT, step.argument.address());
  }

  private void write(int i, ClockStep step) {
    set(i, FUNCTION, Libc.clockGettimeAddress());
    set(i, REQUEST, step.clock.id());
    set(i, ARGUMENT, step.timespec.address());
  }

  /**
   * Makes the calls from one of them on, until the last or one that fails.
   *
   * @param from index of the first
   * @return the host's TSC after the last that was made
   * @throws IllegalStateException if a file is closed
   */
  public long call(int from) {
    int acquired = from;
    try {
      for (; acquired < steps.size(); acquired++) {
        if (steps.get(acquired) instanceof IoctlStep step) {
          step.file.acquire();
        }
      }
      return KernelEntry.invoke(CODE, words.address() + from * STEP_SIZE, steps.size() - from);
    } finally {
      while (--acquired >= from) {
        if (steps.get(acquired) instanceof IoctlStep step) {
          step.file.release();
        }
      }
    }
  }

  /** The host's TSC before a step that was made. */
  public long tscBefore(int step) {
    return words.get(JAVA_LONG, step * STEP_SIZE + TSC);
  }

  /** What a step that was made returned: 0 or more, or {@code -errno}. */
  public int result(int step) {
    return Math.toIntExact(words.get(JAVA_LONG, step * STEP_SIZE + RESULT));
  }

  private void set(int step, long word, long value) {
    words.set(JAVA_LONG, step * STEP_SIZE + word, value);
  }
}
