package kvmselftest.sys;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;

/** Memory of this process of which only the address is known. */
public final class ProcessMemory {
  private ProcessMemory() {}

  /**
   * 64 bits.
   *
   * @param address which the kernel has just read or written itself; a bad one kills the process
   */
  @SuppressWarnings("restricted") // safe as the parameter says
  public static long readLong(long address) {
    return MemorySegment.ofAddress(address).reinterpret(Long.BYTES).get(JAVA_LONG_UNALIGNED, 0);
  }
}
