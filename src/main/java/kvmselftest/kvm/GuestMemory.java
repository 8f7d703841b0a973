package kvmselftest.kvm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;
import kvmselftest.sys.Mapping;

/**
 * A guest's memory, one memslot from guest-physical address (GPA) 0. Any thread may use it; what a
 * running vCPU changes is seen by the volatile accessors only.
 */
public final class GuestMemory implements AutoCloseable {
  /** What memslots and dirty logs are counted in, bytes. */
  public static final long PAGE_SIZE = 4096;

  private static final VarHandle LONG = JAVA_LONG.varHandle();

  private final Mapping mapping;
  private final MemorySegment memory;

  /**
   * @param size in bytes, a multiple of {@link #PAGE_SIZE}
   */
  GuestMemory(long size) {
    mapping = Mapping.anonymous(size);
    memory = mapping.segment();
  }

  /** Size in bytes. */
  public long size() {
    return memory.byteSize();
  }

  /** True if all of these bytes are in this memory. */
  public boolean holds(long gpa, long length) {
    return gpa >= 0 && gpa <= size() - length;
  }

  /** The memory as a segment, GPA 0 first. */
  public MemorySegment segment() {
    return memory;
  }

  /** The 64-bit word at an address that is a multiple of 8. */
  public long readLong(long gpa) {
    return (long) LONG.getVolatile(memory, gpa);
  }

  /** Writes a 64-bit word at an address that is a multiple of 8. */
  public void writeLong(long gpa, long value) {
    LONG.setVolatile(memory, gpa, value);
  }

  public void write(long gpa, byte[] bytes) {
    MemorySegment.copy(bytes, 0, memory, JAVA_BYTE, gpa, bytes.length);
  }

  /** A copy of bytes that no running vCPU changes. */
  public byte[] read(long gpa, int length) {
    return memory.asSlice(gpa, length).toArray(JAVA_BYTE);
  }

  /** A string that ends with a zero byte. */
  public String readString(long gpa) {
    return memory.getString(gpa, StandardCharsets.UTF_8);
  }

  @Override
  public void close() {
    mapping.close();
  }
}
