package kvmselftest.x86;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;

/**
 * A guest in 64-bit long mode with identity-mapped memory (AMD64 APM volume 2, chapters 5 and 8;
 * SDM volume 3, chapters 4 and 6): its tables in guest memory and the register values that go with
 * them. Tables take the guest-physical addresses 0x1000 to 0x7fff; the first page is not mapped, so
 * that a guest's null pointer is a page fault.
 *
 * @param vcpu index of the vCPU, 0 to {@link #MAX_VCPUS} - 1; each has its own TSS
 */
public record LongMode(int vcpu) {
  /** As many task state segments as fit into their page. */
  public static final int MAX_VCPUS = 32;

  /** The first guest-physical address behind the tables. */
  public static final long TABLES_END = 0x8000;

  /** How much is identity-mapped, in bytes from address 0. */
  public static final long MAPPED = 1L << 30;

  /** Exceptions that an IDT has entries for. */
  public static final int EXCEPTIONS = 32;

  private static final long PAGE = 0x1000;
  private static final long HUGE_PAGE = 0x20_0000;

  private static final long PML4 = 0x1000;
  private static final long PDPT = 0x2000;
  private static final long PAGE_DIRECTORY = 0x3000;
  private static final long PAGE_TABLE = 0x4000;
  private static final long GDT = 0x5000;
  private static final long IDT = 0x6000;
  private static final long TSS = 0x7000;

  /** 104 bytes are defined (APM volume 2, section 12.2.5); a power of two keeps them aligned. */
  private static final long TSS_SIZE = 0x80;

  private static final long TSS_IST1 = 0x24;

  private static final long PRESENT = 1;
  private static final long WRITABLE = 1 << 1;
  private static final long LARGE = 1 << 7;

  private static final int CODE_SELECTOR = 0x08;
  private static final int DATA_SELECTOR = 0x10;
  private static final int TSS_SELECTOR = 0x18;

  private static final int TYPE_CODE = 0xb; // execute, read, accessed
  private static final int TYPE_DATA = 0x3; // read, write, accessed
  private static final int TYPE_BUSY_TSS = 0xb;

  // Descriptors of the GDT: present, DPL 0, 4 KiB granularity; base and limit mean nothing in long
  // mode.
  private static final long CODE_DESCRIPTOR = 0x00af_9b00_0000_ffffL;
  private static final long DATA_DESCRIPTOR = 0x00cf_9300_0000_ffffL;

  private static final long INTERRUPT_GATE = 0x8e00_0000_0000L; // present, DPL 0, type 14
  private static final long IST1 = 1L << 32;

  /** CR0: protection, monitor coprocessor, numeric error, write protect, paging. */
  public static final long CR0 = 1 | 1 << 1 | 1 << 5 | 1 << 16 | 1L << 31;

  /** CR4: physical address extension, SSE. */
  public static final long CR4 = 1 << 5 | 1 << 9 | 1 << 10;

  /** EFER: long mode enabled and active. */
  public static final long EFER = 1 << 8 | 1 << 10;

  public LongMode {
    if (vcpu < 0 || vcpu >= MAX_VCPUS) {
      throw new IllegalArgumentException("vCPU index " + vcpu + " is not in 0.." + (MAX_VCPUS - 1));
    }
  }

  /**
   * Writes page tables, GDT and IDT, which all vCPUs share.
   *
   * @param memory guest memory from address 0
   * @param stubs address of the first exception's entry point
   * @param stubSize distance in bytes from one exception's entry point to the next
   */
  public static void writeTables(MemorySegment memory, long stubs, long stubSize) {
    put(memory, PML4, PDPT | PRESENT | WRITABLE);
    put(memory, PDPT, PAGE_DIRECTORY | PRESENT | WRITABLE);
    put(memory, PAGE_DIRECTORY, PAGE_TABLE | PRESENT | WRITABLE);
    for (long page = 1; page < HUGE_PAGE / PAGE; page++) {
      put(memory, PAGE_TABLE + page * 8, page * PAGE | PRESENT | WRITABLE);
    }
    for (long page = 1; page < MAPPED / HUGE_PAGE; page++) {
      put(memory, PAGE_DIRECTORY + page * 8, page * HUGE_PAGE | PRESENT | WRITABLE | LARGE);
    }
    put(memory, GDT + CODE_SELECTOR, CODE_DESCRIPTOR);
    put(memory, GDT + DATA_SELECTOR, DATA_DESCRIPTOR);
    for (int vector = 0; vector < EXCEPTIONS; vector++) {
      writeGate(memory, vector, stubs + vector * stubSize);
    }
  }

  /** Every exception runs on its own stack (IST 1): it is reported even if RSP is bad. */
  private static void writeGate(MemorySegment memory, int vector, long handler) {
    long low = handler & 0xffff;
    long middle = handler >>> 16 & 0xffff;
    put(
        memory,
        IDT + vector * 16L,
        low | (long) CODE_SELECTOR << 16 | IST1 | INTERRUPT_GATE | middle << 48);
    put(memory, IDT + vector * 16L + 8, handler >>> 32);
  }

  /**
   * Writes this vCPU's task state segment.
   *
   * @param exceptionStackTop where the stack for exceptions begins, growing down
   */
  public void writeTss(MemorySegment memory, long exceptionStackTop) {
    // The field lies at 0x24 and is not aligned to its size.
    memory.set(JAVA_LONG.withByteAlignment(1), tss() + TSS_IST1, exceptionStackTop);
  }

  private static void put(MemorySegment memory, long address, long value) {
    memory.set(JAVA_LONG, address, value);
  }

  private long tss() {
    return TSS + vcpu * TSS_SIZE;
  }

  public Segment code() {
    return new Segment(CODE_SELECTOR, 0, -1, TYPE_CODE, false, true);
  }

  public Segment data() {
    return new Segment(DATA_SELECTOR, 0, -1, TYPE_DATA, false, false);
  }

  public Segment task() {
    return new Segment(TSS_SELECTOR, tss(), 0x67, TYPE_BUSY_TSS, true, false);
  }

  public DescriptorTable gdt() {
    return new DescriptorTable(GDT, TSS_SELECTOR - 1);
  }

  public DescriptorTable idt() {
    return new DescriptorTable(IDT, EXCEPTIONS * 16 - 1);
  }

  public long cr3() {
    return PML4;
  }
}
