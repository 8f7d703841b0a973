package kvmselftest.migration;

import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import kvmselftest.kvm.TscOffset;

/**
 * Inputs for a property: random ones, and often enough those at which counters wrap. The property
 * {@code kvmselftest.seed} repeats what a failure named.
 */
final class RandomInputs {
  private static final int TIMES = 3_000;

  private static final long[] EDGES = {
    0,
    1,
    -1,
    2,
    999_999,
    1_000_000,
    1_000_001,
    -999_999,
    -1_000_000,
    -1_000_001,
    Integer.MAX_VALUE,
    1L << 31,
    1L << 32,
    1L << 53,
    1L << 62,
    -(1L << 62),
    Long.MAX_VALUE,
    Long.MAX_VALUE - 1,
    Long.MIN_VALUE,
    Long.MIN_VALUE + 1
  };

  private final long seed = Long.getLong("kvmselftest.seed", System.nanoTime());
  private final RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);

  /** Tries a property many times. */
  void repeat(Consumer<RandomInputs> property) {
    for (int i = 0; i < TIMES; i++) {
      try {
        property.accept(this);
      } catch (AssertionError e) {
        throw new AssertionError(
            "with -Dkvmselftest.seed=%d, try %d: %s".formatted(seed, i + 1, e.getMessage()), e);
      }
    }
  }

  long nextLong() {
    return switch (random.nextInt(4)) {
      case 0 -> EDGES[random.nextInt(EDGES.length)];
      case 1 -> random.nextLong() >> random.nextInt(Long.SIZE); // small ones, too
      default -> random.nextLong();
    };
  }

  /** A rate, 1 to 2^32 - 1. */
  long nextKhz() {
    return switch (random.nextInt(8)) {
      case 0 -> 1;
      case 1 -> (1L << 32) - 1;
      case 2 -> 1 + random.nextLong((1L << 32) - 1);
      default -> 1_000_000 + random.nextLong(4_000_000);
    };
  }

  int nextFractionBits() {
    return random.nextBoolean() ? TscScaling.AMD : TscScaling.INTEL;
  }

  TscScaling nextScaling() {
    long ratio = nextLong();
    return random.nextInt(4) == 0 || ratio == 0
        ? TscScaling.NONE
        : new TscScaling(ratio, nextFractionBits());
  }

  VcpuClock nextVcpuClock() {
    return new VcpuClock(
        random.nextInt(16), new TscOffset(nextLong()), nextKhz(), nextKhz(), nextScaling());
  }
}
