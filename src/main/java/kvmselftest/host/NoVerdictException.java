package kvmselftest.host;

/** A run did not come to its end. The message is one line: what happened and what to do. */
final class NoVerdictException extends Exception {
  private static final long serialVersionUID = 1L;

  NoVerdictException(String message) {
    super(message);
  }

  @Override
  public String getMessage() {
    return String.valueOf(super.getMessage());
  }
}
