package kvmselftest.runner;

/**
 * The first character of a line that is meant for the launcher outside of the emulated host as
 * well: both streams of the program in there come out of one serial port. A line without a mark may
 * be anything, such as a JVM's last words.
 */
public enum LineMark {
  /** A test that begins, as results.json has it when it does not end: for the launcher alone. */
  TEST_BEGUN('\u001a'),
  /** A test that has ended, as results.json has it, without what it published; likewise. */
  TEST_ENDED('\u001c'),
  /** The line of a test's result that is not to be shown, only counted. */
  HIDDEN_RESULT('\u001d'),
  /** The line of a test's result. */
  RESULT('\u001e'),
  /** A line of KTAP. */
  KTAP('\u001f');

  private final char character;

  LineMark(char character) {
    this.character = character;
  }

  /** A control character of one octet that no text of ours has. */
  public char character() {
    return character;
  }
}
