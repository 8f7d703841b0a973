package kvmselftest.migration;

/** A snapshot does not fit the VM that is to have it. Nothing was changed. */
public final class MigrationException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  MigrationException(String message) {
    super(message);
  }
}
