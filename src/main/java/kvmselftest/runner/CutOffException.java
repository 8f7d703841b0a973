package kvmselftest.runner;

/** Stands as the cause where a test was ended by the runner; its message says it all. */
abstract sealed class CutOffException extends RuntimeException
    permits InterruptedRunException, StuckTestException {
  private static final long serialVersionUID = 1L;

  CutOffException(String message) {
    super(message);
  }
}
