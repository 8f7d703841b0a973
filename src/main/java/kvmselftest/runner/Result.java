package kvmselftest.runner;

/** What became of a test; kselftest's words in the totals. */
enum Result {
  PASS("ok", "32"),
  FAIL("FAIL", "31;1"),
  SKIP("skip", "33"),
  /** Did not end in its time. */
  TIMEOUT("HUNG", "31;1"),
  /** Stopped from outside before it had a result. */
  ERROR("stop", "31;1");

  private final String label;
  private final String colour;

  Result(String label, String colour) {
    this.label = label;
    this.colour = colour;
  }

  /** Whether this keeps the run from passing. */
  boolean isBad() {
    return this != PASS && this != SKIP;
  }

  /** The word at the start of a test's line. */
  String label() {
    return label;
  }

  /** The parameter of the terminal's SGR control sequence. */
  String colour() {
    return colour;
  }
}
