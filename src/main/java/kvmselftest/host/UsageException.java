package kvmselftest.host;

/**
 * What the user named cannot be used: no kernel, modules of another one, a package cut short. The
 * same command would fail again, so it ends with the exit status of a wrong command line.
 */
public final class UsageException extends HostException {
  private static final long serialVersionUID = 1L;

  public UsageException(String message) {
    super(message);
  }

  public UsageException(String message, Throwable cause) {
    super(message, cause);
  }
}
