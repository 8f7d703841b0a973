package kvmselftest.review;

/** What was given is no results file that this program can read; the message is one line. */
public final class NotResultsException extends Exception {
  private static final long serialVersionUID = 1L;

  NotResultsException(String message) {
    super(message);
  }

  @Override
  public String getMessage() {
    return String.valueOf(super.getMessage());
  }
}
