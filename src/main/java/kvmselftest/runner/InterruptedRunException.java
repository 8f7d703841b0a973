package kvmselftest.runner;

/** Stands as the cause where a test was cut off from outside. */
final class InterruptedRunException extends CutOffException {
  private static final long serialVersionUID = 1L;

  InterruptedRunException() {
    super("interrupted before it ended");
  }
}
