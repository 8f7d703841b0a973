package kvmselftest.x86;

/**
 * What many brackets together say about an error that is the same in all of them: each says that
 * the error lies between two values, and all are true, so it lies in the intersection. If that
 * leaves out 0, the clock is wrong; an error of more than {@link #floor()} would have been seen.
 */
public final class ErrorBounds {
  private final String unit;
  private long least = Long.MIN_VALUE;
  private long most = Long.MAX_VALUE;
  private long samples;

  /**
   * @param unit of the error, for the text: ticks or ns
   */
  public ErrorBounds(String unit) {
    this.unit = unit;
  }

  /** Of the error: ticks or ns. */
  public String unit() {
    return unit;
  }

  /** A reading, and the window in which it would lie without an error. */
  public void add(long observed, CounterWindow expected) {
    add(observed - expected.to(), observed - expected.from());
  }

  /** The error is one of these, both included. */
  public void add(long atLeast, long atMost) {
    least = Math.max(least, atLeast);
    most = Math.min(most, atMost);
    samples++;
  }

  /** The error is one of these, by so many samples at once. */
  public void add(long atLeast, long atMost, long count) {
    add(atLeast, atMost);
    samples += count - 1;
  }

  /** The error is not less than this. */
  public long least() {
    return least;
  }

  /** The error is not more than this. */
  public long most() {
    return most;
  }

  public long samples() {
    return samples;
  }

  /** False if there is an error: no value that all samples allow is 0. */
  public boolean allowNone() {
    return allowRounding(0, 0);
  }

  /**
   * As {@link #allowNone}, where each sample has an error of rounding of its own.
   *
   * @param from the smallest error that rounding makes
   * @param to the largest
   */
  public boolean allowRounding(long from, long to) {
    return least <= to && most >= from;
  }

  /** The smallest error that would have been seen, whatever its sign. */
  public long floor() {
    return Math.max(Math.abs(least), Math.abs(most));
  }

  @Override
  public String toString() {
    return "error in [%+d, %+d] %s by %d samples".formatted(least, most, unit, samples);
  }
}
