package kvmselftest.x86;

/**
 * Where a reading of a 64-bit counter has to lie, given a reading before and one after it. The
 * counter wraps at 2^64, so a window may run across the wrap.
 *
 * @param from the first value inside
 * @param to the last value inside
 */
public record CounterWindow(long from, long to) {
  public boolean contains(long value) {
    return Long.compareUnsigned(value - from, width()) <= 0;
  }

  /** How far apart the ends are, unsigned. */
  public long width() {
    return to - from;
  }

  /** The window moved by so many counts. */
  public CounterWindow plus(long counts) {
    return new CounterWindow(from + counts, to + counts);
  }

  /** All sums of a value in this window and one in the other. */
  public CounterWindow plus(CounterWindow other) {
    return new CounterWindow(from + other.from, to + other.to);
  }

  /** All differences of a value in this window and one in the other. */
  public CounterWindow minus(CounterWindow other) {
    return new CounterWindow(from - other.to, to - other.from);
  }

  /** Both ends, unsigned, and the width. */
  @Override
  public String toString() {
    return "[%s, %s], width %s"
        .formatted(
            Long.toUnsignedString(from), Long.toUnsignedString(to), Long.toUnsignedString(width()));
  }
}
