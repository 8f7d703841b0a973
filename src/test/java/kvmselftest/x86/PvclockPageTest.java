package kvmselftest.x86;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.math.BigInteger;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PvclockPageTest {
  private static final BigInteger TWO_64 = BigInteger.ONE.shiftLeft(64);
  private static final long SEED = 20211116; // any; fixed, so that a failure comes again

  @ParameterizedTest
  @CsvSource({
    // 1 GHz: mul 2^31 and shift 1 make a nanosecond a tick
    "0, 0, 0x80000000, 1, 1000, 1000",
    // 2 GHz: half a nanosecond a tick, rounded down
    "0, 0, 0x80000000, 0, 1001, 500",
    // 4 GHz, by a shift to the right
    "100, 7, 0x80000000, -1, 1100, 257",
    // the guest's TSC wraps between the timestamp and now
    "-500, 0, 0x80000000, 1, 500, 1000"
  })
  void evaluates(long timestamp, long systemTime, String mul, int shift, long tsc, long expected) {
    int multiplier = Integer.parseUnsignedInt(mul.substring(2), 16);
    assertEquals(
        expected, new PvclockPage(2, timestamp, systemTime, multiplier, shift, 0).nanosAt(tsc));
  }

  /** Where a guest may have it. */
  @Test
  void isReadAtAnyMultipleOfFour() {
    PvclockPage page = new PvclockPage(2, 0x0123_4567_89ab_cdefL, -5, 0x8000_0001, -3, 1);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(2L * PvclockPage.SIZE, Long.BYTES);
      page.write(memory);
      MemorySegment elsewhere = memory.asSlice(Integer.BYTES, PvclockPage.SIZE);
      elsewhere.copyFrom(memory.asSlice(0, PvclockPage.SIZE));

      assertEquals(page, PvclockPage.read(elsewhere));
    }
  }

  @Test
  void agreesWithArithmeticWithoutBounds() {
    Random random = new Random(SEED);
    Stream.generate(
            () ->
                new PvclockPage(
                    2,
                    random.nextLong(),
                    random.nextLong(),
                    random.nextInt(),
                    random.nextInt(-31, 32),
                    0))
        .limit(100_000)
        .forEach(
            page -> {
              long tsc = random.nextLong();
              assertEquals(exact(page, tsc), page.nanosAt(tsc), () -> page + " at " + tsc);
            });
  }

  private static long exact(PvclockPage page, long tsc) {
    BigInteger ticks = BigInteger.valueOf(tsc - page.tscTimestamp()).mod(TWO_64);
    return ticks
        .shiftLeft(page.tscShift())
        .mod(TWO_64)
        .multiply(BigInteger.valueOf(Integer.toUnsignedLong(page.tscToSystemMul())))
        .shiftRight(32)
        .add(BigInteger.valueOf(page.systemTime()))
        .longValue();
  }
}
