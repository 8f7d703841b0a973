package kvmselftest.x86;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PvclockScaleTest {
  private static final long SEED = 20211116; // any; fixed, so that a failure comes again

  @ParameterizedTest
  @CsvSource({
    "1000000, 0x80000000, 1", // 1 GHz: at half a nanosecond a tick, not at a whole one
    "1000001, 0xffffef39, 0",
    "2000000, 0x80000000, 0",
    "2000001, 0xfffff79c, -1",
    "2500000, 0xcccccccc, -1",
    "4000000, 0x80000000, -1",
    "5000000, 0xcccccccc, -2", // more than 32 bits of Hz
    "50000, 0xa0000000, 5", // the slowest that was seen, Bochs
  })
  void isKvms(long khz, String mul, int shift) {
    PvclockScale expected = new PvclockScale(Integer.parseUnsignedInt(mul.substring(2), 16), shift);

    assertEquals(expected, PvclockScale.ofKhz(khz));
  }

  @Test
  void rateIsFoundAgain() {
    Random random = new Random(SEED);
    for (int i = 0; i < 10_000; i++) {
      long khz = random.nextLong(1000, 10_000_000);
      PvclockScale scale = PvclockScale.ofKhz(khz);

      assertEquals(khz, scale.khz());
      assertEquals(-1, new PvclockScale(scale.mul() + 1, scale.shift()).khz(), () -> khz + " kHz");
    }
  }
}
