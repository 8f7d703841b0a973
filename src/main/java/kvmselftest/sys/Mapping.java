package kvmselftest.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A memory mapping, owned. Its segment may be used by any thread; after {@link #close()} an access
 * throws {@link IllegalStateException} and reaches no memory.
 */
public final class Mapping implements AutoCloseable {
  // asm-generic/mman-common.h and mman.h
  static final int PROT_NONE = 0;
  static final int PROT_READ = 1;
  static final int PROT_WRITE = 2;
  static final int PROT_EXEC = 4;
  private static final int MAP_SHARED = 1;
  static final int MAP_PRIVATE = 2;
  static final int MAP_ANONYMOUS = 0x20;
  private static final int MAP_NORESERVE = 0x4000;

  private final Arena arena = Arena.ofShared();
  private final AtomicBoolean closed = new AtomicBoolean();
  private final MemorySegment segment;

  private Mapping(long address, long size) {
    segment = reinterpret(address, size, arena);
  }

  // Safe: the kernel has just returned these bytes, and the arena ends their use before munmap.
  @SuppressWarnings("restricted")
  private static MemorySegment reinterpret(long address, long size, Arena arena) {
    return MemorySegment.ofAddress(address)
        .reinterpret(size, arena, unmapped -> Libc.munmap(unmapped.address(), size));
  }

  /** Zeroed memory of this process, page-aligned. */
  public static Mapping anonymous(long size) {
    return map(size, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, "anonymous memory");
  }

  static Mapping shared(int fd, long size, String what) {
    return map(size, MAP_SHARED, fd, what);
  }

  private static Mapping map(long size, int flags, int fd, String what) {
    long address = Libc.mmap(size, PROT_READ | PROT_WRITE, flags, fd);
    if (address < 0) {
      throw new SyscallException(
          "mmap of " + size + " bytes of " + what, new Errno((int) -address));
    }
    return new Mapping(address, size);
  }

  public MemorySegment segment() {
    return segment;
  }

  void protect(int protection) {
    protectFrom(0, protection);
  }

  /**
   * Protects the end of the memory. An access by Java that is then forbidden kills the process.
   *
   * @param offset where it begins, a multiple of the page size
   */
  void protectFrom(long offset, int protection) {
    int result = Libc.mprotect(segment.address() + offset, segment.byteSize() - offset, protection);
    if (result < 0) {
      throw new SyscallException("mprotect of a mapping", new Errno(-result));
    }
  }

  /** Unmaps the memory; a second call does nothing. */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      arena.close();
    }
  }
}
