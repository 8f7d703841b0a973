package kvmselftest.x86;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.util.function.LongConsumer;
import kvmselftest.sys.MachineCode;

/**
 * One side of two that run at the same time and tell each other what their clock shows, through a
 * cache line for each direction (guest-blobs/clock_stream.inc). A clock is never behind what the
 * other side's showed when it was read before, so that the smallest difference seen bounds how far
 * it is behind, to within a cache line's trip.
 */
public final class ClockStream {
  /** Size of a block in bytes. */
  public static final int BLOCK_SIZE = 128;

  /** Room for a line, so that no two share what a CPU fetches at once, bytes. */
  public static final int LINE_SIZE = 256;

  private static final long OUT = 0;
  private static final long IN = 8;
  private static final long PVCLOCK = 16;
  private static final long AHEAD = 24;
  private static final long TICKS = 32;
  private static final long ENOUGH = 40;
  private static final long EXITS = 48;
  private static final long SMALLEST = 56;
  private static final long CHANGES = 64;

  /** In place of a clock: it is over. */
  private static final long STOP = -1;

  /** No count but 0 has none of its bits. */
  private static final long NO_EXITS = -1;

  private static final VarHandle LONG = JAVA_LONG.varHandle();

  private final MemorySegment block;

  /**
   * A side that is described in memory of the given arena.
   *
   * @param out address of the line that this side writes; it must be 0 at first, as the other
   * @param in address of the line that the other side writes
   * @param pvclock address of this side's pvclock structure: the clock is kvmclock, ns; 0: the TSC
   * @param ahead what this clock is expected to be ahead of the other's
   * @param ticks how long to go on at most, TSC ticks
   * @param enough for the side that ends both parts: after how many values of the other's; 0 for
   *     the side that goes on until the other ends
   */
  public ClockStream(
      Arena arena, long out, long in, long pvclock, long ahead, long ticks, long enough) {
    this(arena.allocate(BLOCK_SIZE, Long.BYTES), out, in, pvclock, ahead, ticks, enough);
  }

  /** A side that is described in a block of the caller's, such as one in guest memory. */
  public ClockStream(
      MemorySegment block, long out, long in, long pvclock, long ahead, long ticks, long enough) {
    this.block = block;
    block.set(JAVA_LONG, OUT, out);
    block.set(JAVA_LONG, IN, in);
    block.set(JAVA_LONG, PVCLOCK, pvclock);
    block.set(JAVA_LONG, AHEAD, ahead);
    block.set(JAVA_LONG, TICKS, ticks);
    block.set(JAVA_LONG, ENOUGH, enough);
    block.set(JAVA_LONG, EXITS, NO_EXITS);
  }

  /**
   * A guest on this side exits again and again, to be entered anew by its host's kernel: what is
   * wrong at some entries only shows too.
   *
   * @param every after so many values of the other side's clock, a power of two
   */
  public ClockStream withExits(long every) {
    block.set(JAVA_LONG, EXITS, every - 1);
    return this;
  }

  /** Links the host's half when the first stream is to run. */
  private static final class HostCode {
    static final LongConsumer RUN = MachineCode.named("host_clock_stream").asBlockingFunction();
  }

  /** Runs this side in the calling thread, for as long as it was told. */
  public void runOnHost() {
    HostCode.RUN.accept(block.address());
  }

  /** The clock that a side wrote last into its line; 0 if it has not begun. */
  public static long clockIn(MemorySegment line) {
    return (long) LONG.getVolatile(line, 0L);
  }

  /** The TSC that a side wrote last into its line, behind the clock. */
  public static long tscIn(MemorySegment line) {
    return (long) LONG.getVolatile(line, 8L);
  }

  /** Ends the stream of the side that reads this line. */
  public static void stop(MemorySegment line) {
    LONG.setVolatile(line, 0L, STOP);
  }

  /** The smallest of this clock - the other's - ahead; Long.MAX_VALUE if nothing was seen. */
  public long smallest() {
    return block.get(JAVA_LONG, SMALLEST);
  }

  /** How many values of the other's clock this side saw. */
  public long changes() {
    return block.get(JAVA_LONG, CHANGES);
  }
}
