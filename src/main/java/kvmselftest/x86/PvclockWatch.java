package kvmselftest.x86;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.util.List;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;
import kvmselftest.sys.MachineCode;

/**
 * Reads a pvclock page again and again while KVM writes it, as a guest's other vCPUs may: by the
 * version, which is odd meanwhile and another one afterwards (Documentation/virt/kvm/x86/msr.rst,
 * MSR_KVM_SYSTEM_TIME_NEW). In machine code, for a page that is half written is so for some
 * nanoseconds (guest-blobs/host_pvclock_watch.s).
 */
public final class PvclockWatch {
  private static final long BLOCK_SIZE = 40;
  private static final long PAGE = 0;
  private static final long READ = 8;
  private static final long MOST = 16;
  private static final long COUNT = 24;
  private static final long STOP = 32;

  private static final VarHandle LONG = JAVA_LONG.varHandle();

  private final MemorySegment block;
  private final MemorySegment read;

  /**
   * @param arena what is read is kept in its memory; any thread may be to use it
   * @param page the page, in this process's memory
   * @param most after how many different pages the reading ends by itself
   */
  public PvclockWatch(Arena arena, MemorySegment page, int most) {
    block = arena.allocate(BLOCK_SIZE, Long.BYTES);
    read = arena.allocate((long) most * PvclockPage.SIZE, Long.BYTES);
    block.set(JAVA_LONG, PAGE, page.address());
    block.set(JAVA_LONG, READ, read.address());
    block.set(JAVA_LONG, MOST, most);
  }

  /** Links the code when it is to run first. */
  private static final class HostCode {
    static final LongConsumer RUN = MachineCode.named("host_pvclock_watch").asBlockingFunction();
  }

  /** Reads the page in the calling thread until another one says {@link #stop}. */
  public void run() {
    HostCode.RUN.accept(block.address());
  }

  /** Ends {@link #run}. Any thread. */
  public void stop() {
    LONG.setVolatile(block, STOP, 1L);
  }

  /** How many pages have been read so far that differ from the one read before. Any thread. */
  public int count() {
    return (int) (long) LONG.getVolatile(block, COUNT);
  }

  /** What has been read, whole by the version, each that differs from the one before. */
  public List<PvclockPage> pages() {
    return IntStream.range(0, count())
        .mapToObj(
            i -> PvclockPage.read(read.asSlice((long) i * PvclockPage.SIZE, PvclockPage.SIZE)))
        .toList();
  }
}
