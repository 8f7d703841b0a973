package kvmselftest.host;

import java.util.Objects;

/**
 * The emulated host cannot be had or does not run. The message is one line that a user can act on:
 * what went wrong, why, and what to do.
 */
public sealed class HostException extends Exception permits UsageException {
  private static final long serialVersionUID = 1L;

  public HostException(String message) {
    super(message);
  }

  public HostException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public String getMessage() {
    return Objects.requireNonNull(super.getMessage());
  }
}
