package kvmselftest.runner;

/**
 * What a user wants to see of a run.
 *
 * @param colour whether to use a terminal's colours
 * @param verbose whether to show what the tests observed
 * @param failedOnly whether to leave out the lines of tests that passed or were skipped
 * @param ktap whether to write KTAP instead
 */
public record View(boolean colour, boolean verbose, boolean failedOnly, boolean ktap) {
  /** Every test in a line. */
  public static final View PLAIN = new View(false, false, false, false);
}
