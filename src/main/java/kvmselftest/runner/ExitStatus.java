package kvmselftest.runner;

/**
 * The exit statuses of the launcher. 2 and 3 are never used: the kselftest runner reads 2 as an
 * expected failure and counts it as passed (tools/testing/selftests/kselftest/runner.sh), and 3 is
 * kselftest's KSFT_XPASS.
 */
public enum ExitStatus {
  /** At least one selftest passed and none failed. */
  PASSED(0),
  /** A selftest failed, none matched the selection, or there is no verdict. */
  FAILED(1),
  /** Every selected selftest was skipped (kselftest's KSFT_SKIP). */
  SKIPPED(4),
  /** The command line is wrong (EX_USAGE of sysexits.h). */
  USAGE(64);

  private final int code;

  ExitStatus(int code) {
    this.code = code;
  }

  /** The process exit status, 0 to 255. */
  public int code() {
    return code;
  }
}
