package kvmselftest.host;

/**
 * How a command ended.
 *
 * @see HostResult
 */
public sealed interface CommandEnd {
  /**
   * By itself.
   *
   * @param status 0 to 255
   * @param peakKib the most memory it had resident at a time, in KiB; 0 if it did not start
   */
  record Exited(int status, long peakKib) implements CommandEnd {
    @Override
    public String toString() {
      return "exit status " + status;
    }
  }

  /** By a signal. */
  record Killed(int signal) implements CommandEnd {
    @Override
    public String toString() {
      return "killed by signal " + signal;
    }
  }
}
