package kvmselftest.guest;

/** A guest said something else than its host expected: an ABORT, an exception, another stage. */
public final class GuestFailedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  GuestFailedException(String message) {
    super(message);
  }
}
