package kvmselftest.sys;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;

/**
 * An end of this process's memory: a page, and behind it one that can be neither read nor written.
 * What lies across the end the kernel can copy in part only.
 */
public final class MemoryEnd implements AutoCloseable {
  private static final long PAGE_SIZE = 4096;

  private final Mapping pages = Mapping.anonymous(2 * PAGE_SIZE);

  public MemoryEnd() {
    pages.protectFrom(PAGE_SIZE, Mapping.PROT_NONE);
  }

  /**
   * Puts a structure there, of which this writes the part that is before the end.
   *
   * @param beyond how many of its last bytes are beyond the end
   * @return the structure's address
   */
  public long put(byte[] structure, int beyond) {
    int within = structure.length - beyond;
    long offset = PAGE_SIZE - within;
    MemorySegment.copy(structure, 0, pages.segment(), JAVA_BYTE, offset, within);
    return pages.segment().address() + offset;
  }

  @Override
  public void close() {
    pages.close();
  }
}
