package kvmselftest.x86;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The tables of a 64-bit guest, read as the CPU reads them (SDM volume 3, sections 4.5 and 6.14).
 *
 * <p>Also what the emulated host's AOT cache is trained with (tag {@code training}): it needs no
 * KVM and uses JUnit as the selftests do.
 */
@Tag("training")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class LongModeTest {
  private static final long STUBS = 0x10_0040;
  private static final long STUB_SIZE = 16;
  private static final long ADDRESS_BITS = 0x000f_ffff_ffff_f000L;

  private final Arena arena = Arena.ofConfined();
  private final MemorySegment memory = arena.allocate(0x1_0000, 4096);
  private LongMode longMode;

  @BeforeAll
  void writeTables() {
    LongMode.writeTables(memory, STUBS, STUB_SIZE);
    longMode = new LongMode(3);
    longMode.writeTss(memory, 0x2_7000);
  }

  @AfterAll
  void free() {
    arena.close();
  }

  static Stream<Arguments> mappedAddresses() {
    return Stream.of(
        argumentSet("second page", 0x1000L),
        argumentSet("end of the page table", 0x1f_ffffL),
        argumentSet("first huge page", 0x20_0000L),
        argumentSet("last byte", LongMode.MAPPED - 1));
  }

  @ParameterizedTest
  @MethodSource("mappedAddresses")
  void addressIsMappedToItself(long address, TestReporter reporter) {
    long physical = translate(address);
    reporter.publishEntry("0x%x is mapped to 0x%x".formatted(address, physical));
    assertAll(
        () -> assertEquals(address, physical),
        () -> assertTrue(physical >= 0, () -> "not mapped: " + address));
  }

  @Test
  void firstPageIsNotMapped() {
    assertEquals(-1, translate(0xfff));
  }

  @Test
  void addressBeyondIsNotMapped() {
    assertEquals(-1, translate(LongMode.MAPPED));
  }

  /** Walks the four levels: the physical address, or -1 if an entry is not present. */
  private long translate(long linear) {
    long table = longMode.cr3();
    for (int shift = 39; shift >= 12; shift -= 9) {
      long entry = memory.get(JAVA_LONG, table + ((linear >>> shift) & 0x1ff) * 8);
      if ((entry & 1) == 0) {
        return -1;
      }
      boolean isLeaf = shift == 12 || (entry & (1 << 7)) != 0;
      long inside = linear & ((1L << shift) - 1);
      table = entry & ADDRESS_BITS;
      if (isLeaf) {
        return table + inside;
      }
    }
    throw new AssertionError("four levels end in a leaf");
  }

  @TestFactory
  Stream<DynamicTest> gatePointsToItsStub() {
    return IntStream.range(0, LongMode.EXCEPTIONS)
        .mapToObj(
            vector ->
                dynamicTest(
                    "vector " + vector,
                    () -> assertEquals(STUBS + vector * STUB_SIZE, handler(vector))));
  }

  private long handler(int vector) {
    long gate = longMode.idt().base() + vector * 16L;
    long low = memory.get(JAVA_LONG, gate);
    long high = memory.get(JAVA_LONG, gate + 8);
    return (high << 32) | ((low >>> 48) << 16) | (low & 0xffff);
  }

  @Test
  void exceptionsHaveTheirOwnStack() {
    long interruptStackTable1 = longMode.task().base() + 0x24;
    assertEquals(0x2_7000, memory.get(JAVA_LONG.withByteAlignment(1), interruptStackTable1));
    assertEquals(1, (memory.get(JAVA_LONG, longMode.idt().base()) >>> 32) & 7, "IST of vector 0");
  }

  @Test
  void vcpuBeyondTheTablesIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> new LongMode(LongMode.MAX_VCPUS));
  }
}
