package kvmselftest.migration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.math.BigInteger;
import org.junit.jupiter.api.Test;

/** The CPU's fixed-point multiplication against the same in numbers without an end. */
class TscScalingTest {
  @Test
  void scaledTscIsTheProductRoundedDown() {
    new RandomInputs()
        .repeat(
            random -> {
              long hostTsc = random.nextLong();
              TscScaling scaling = random.nextScaling();
              assertEquals(
                  ClockArithmeticTest.scaled(hostTsc, scaling).longValue(),
                  scaling.scale(hostTsc),
                  () -> "host TSC %s, %s".formatted(Long.toUnsignedString(hostTsc), scaling));
            });
  }

  @Test
  void ratioIsTheQuotientRoundedDown() {
    new RandomInputs()
        .repeat(
            random -> {
              long hostKhz = 100_000 + random.nextKhz() % 10_000_000;
              long guestKhz = 1 + random.nextKhz() % 10_000_000;
              int bits = random.nextFractionBits();
              BigInteger exact =
                  BigInteger.valueOf(guestKhz).shiftLeft(bits).divide(BigInteger.valueOf(hostKhz));
              assertEquals(
                  exact,
                  ClockArithmeticTest.unsigned(TscScaling.of(hostKhz, guestKhz, bits).ratio()),
                  () -> "%d of %d kHz, %d bits".formatted(guestKhz, hostKhz, bits));
            });
  }

  @Test
  void sameRateIsOne() {
    assertEquals(1L << 32, TscScaling.of(2_500_000, 2_500_000, TscScaling.AMD).ratio());
    assertEquals(1L << 48, TscScaling.of(2_500_000, 2_500_000, TscScaling.INTEL).ratio());
    assertEquals(-1, TscScaling.of(2_500_000, 2_500_000, TscScaling.INTEL).scale(-1));
    assertEquals(-1, TscScaling.NONE.scale(-1));
  }

  @Test
  void whatIsNoScalingIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> new TscScaling(0, TscScaling.AMD));
    assertThrows(IllegalArgumentException.class, () -> new TscScaling(2, 0));
    assertThrows(IllegalArgumentException.class, () -> new TscScaling(1, 64));
    assertThrows(IllegalArgumentException.class, () -> TscScaling.of(0, 1, TscScaling.AMD));
    assertThrows(IllegalArgumentException.class, () -> TscScaling.of(1, 65_536, TscScaling.INTEL));
  }
}
