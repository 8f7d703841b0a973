package kvmselftest.bank;

/** The bank cannot be run. The message is one line: what happened and what to do. */
final class BankException extends Exception {
  private static final long serialVersionUID = 1L;

  BankException(String message) {
    super(message);
  }

  BankException(String message, Throwable cause) {
    super(message, cause);
  }
}
