package kvmselftest.sys;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A clock of the host, read with {@code clock_gettime(2)} (include/uapi/linux/time.h). */
public enum Clock {
  /** Wall-clock time since 1970. KVM_CLOCK_REALTIME is about this clock. */
  REALTIME(0),
  /** The same as of the kernel's last tick. */
  REALTIME_COARSE(5),
  /** Time since boot, at the rate that NTP steers. */
  MONOTONIC(1),
  /** Time since boot at the clocksource's own rate. kvmclock runs with this one. */
  MONOTONIC_RAW(4);

  private static final long NANOS_PER_SECOND = 1_000_000_000L;

  /** Size of a {@code struct timespec}, bytes. */
  public static final int TIMESPEC_SIZE = 16;

  private static final ThreadLocal<MemorySegment> TIMESPEC =
      ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(TIMESPEC_SIZE, Long.BYTES));

  private final int id;

  Clock(int id) {
    this.id = id;
  }

  /**
   * Nanoseconds since the clock's zero.
   *
   * @throws SyscallException if the kernel does not have this clock
   */
  public long nanos() {
    MemorySegment timespec = TIMESPEC.get();
    int result = Libc.clockGettime(id, timespec);
    if (result < 0) {
      throw new SyscallException("clock_gettime(CLOCK_" + this + ")", new Errno(-result));
    }
    return nanosOf(timespec);
  }

  int id() {
    return id;
  }

  /** What a {@code struct timespec} says, ns. */
  public static long nanosOf(MemorySegment timespec) {
    return timespec.get(JAVA_LONG, 0) * NANOS_PER_SECOND + timespec.get(JAVA_LONG, 8);
  }
}
