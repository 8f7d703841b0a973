package kvmselftest.migration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import kvmselftest.kvm.TscOffset;
import org.junit.jupiter.api.Test;

/**
 * The arithmetic of a move against the same in numbers without an end. The inputs are random, with
 * those at which counters wrap among them; each failure names all of them.
 */
class ClockArithmeticTest {
  private static final BigInteger MILLION = BigInteger.valueOf(1_000_000);
  private static final BigInteger WRAP = BigInteger.TWO.pow(64);

  @Test
  void ticksAreTheQuotientRoundedDown() {
    new RandomInputs()
        .repeat(
            random -> {
              long nanos = random.nextLong();
              long khz = random.nextKhz();
              BigInteger exact = BigInteger.valueOf(nanos).multiply(BigInteger.valueOf(khz));
              assertEquals(
                  floor(exact, MILLION).longValue(),
                  ClockArithmetic.ticks(nanos, khz),
                  () -> "%d ns at %d kHz".formatted(nanos, khz));
            });
  }

  /** Two hundred years: the product has 94 bits. */
  @Test
  void yearsOfUptimeAreExact() {
    long nanos = 200L * 365 * 86_400 * 1_000_000_000;

    assertEquals(nanos / 1_000_000 * 3_000_000, ClockArithmetic.ticks(nanos, 3_000_000));
    assertEquals(-(nanos / 1_000_000 * 3_000_000), ClockArithmetic.ticks(-nanos, 3_000_000));
  }

  @Test
  void lessThanOneTickIsNoneAndBackwardsOne() {
    assertEquals(0, ClockArithmetic.ticks(1, 999_999));
    assertEquals(1, ClockArithmetic.ticks(1, 1_000_000));
    assertEquals(-1, ClockArithmetic.ticks(-1, 999_999));
  }

  /**
   * What the guest would see: its TSC at the source's moment, and what kvmclock says has passed.
   */
  @Test
  void guestTscGoesOnByWhatKvmclockSaysLessThanOneTickBehind() {
    new RandomInputs()
        .repeat(
            random -> {
              VcpuClock vcpu = random.nextVcpuClock();
              Moment from = new Moment(random.nextLong(), random.nextLong());
              Moment to = new Moment(random.nextLong(), random.nextLong());
              TscScaling scaling = random.nextScaling();

              TscOffset offset = ClockArithmetic.newOffset(from, vcpu, to, scaling);

              BigInteger passed =
                  BigInteger.valueOf(to.kvmclock() - from.kvmclock())
                      .multiply(BigInteger.valueOf(vcpu.countsAtKhz()));
              BigInteger expected =
                  scaled(from.hostTsc(), vcpu.scaling())
                      .add(BigInteger.valueOf(vcpu.offset().ticks()))
                      .multiply(MILLION)
                      .add(passed);
              BigInteger got =
                  scaled(to.hostTsc(), scaling)
                      .add(BigInteger.valueOf(offset.ticks()))
                      .multiply(MILLION);
              BigInteger behind = expected.subtract(got).mod(WRAP.multiply(MILLION));
              assertTrue(
                  behind.compareTo(MILLION) < 0,
                  () ->
                      "behind by %s millionths of a tick: from %s, %s, to %s, %s: %s"
                          .formatted(behind, from, vcpu, to, scaling, offset));
            });
  }

  @Test
  void differencesOfEqualScalingAreKeptToTheTick() {
    new RandomInputs()
        .repeat(
            random -> {
              VcpuClock one = random.nextVcpuClock();
              TscOffset apart = new TscOffset(random.nextLong());
              VcpuClock other = one.withOffset(new TscOffset(one.offset().ticks() + apart.ticks()));
              Moment from = new Moment(random.nextLong(), random.nextLong());
              Moment to = new Moment(random.nextLong(), random.nextLong());
              TscScaling scaling = random.nextScaling();

              long first = ClockArithmetic.newOffset(from, one, to, scaling).ticks();
              long second = ClockArithmetic.newOffset(from, other, to, scaling).ticks();

              assertEquals(
                  apart.ticks(),
                  second - first,
                  () -> "from %s, %s, apart by %s, to %s".formatted(from, one, apart, to));
            });
  }

  @Test
  void movingNowhereChangesNothing() {
    new RandomInputs()
        .repeat(
            random -> {
              VcpuClock vcpu = random.nextVcpuClock();
              Moment moment = new Moment(random.nextLong(), random.nextLong());

              assertEquals(
                  vcpu.offset(),
                  ClockArithmetic.newOffset(moment, vcpu, moment, vcpu.scaling()),
                  () -> vcpu + " at " + moment);
            });
  }

  @Test
  void ratesOutOfRangeAreRefused() {
    for (long khz : new long[] {0, -1, 1L << 32, Long.MIN_VALUE}) {
      assertThrows(IllegalArgumentException.class, () -> ClockArithmetic.ticks(1, khz));
    }
  }

  static BigInteger scaled(long hostTsc, TscScaling scaling) {
    return unsigned(hostTsc)
        .multiply(unsigned(scaling.ratio()))
        .shiftRight(scaling.fractionBits())
        .mod(WRAP);
  }

  static BigInteger unsigned(long value) {
    return new BigInteger(Long.toUnsignedString(value));
  }

  private static BigInteger floor(BigInteger dividend, BigInteger divisor) {
    BigInteger[] parts = dividend.divideAndRemainder(divisor);
    return parts[1].signum() < 0 ? parts[0].subtract(BigInteger.ONE) : parts[0];
  }
}
