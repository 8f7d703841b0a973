package kvmselftest.migration;

/** A text is not a clock snapshot that can be read; the message says why, in one line. */
public final class SnapshotFormatException extends Exception {
  private static final long serialVersionUID = 1L;

  SnapshotFormatException(String message) {
    super("no clock snapshot: " + message);
  }
}
