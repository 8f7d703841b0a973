package kvmselftest.runner;

import java.util.Collection;

/** How many tests ended in which way; those that took too long are among the failed. */
public record Totals(long pass, long fail, long skip, long error) {
  static Totals of(Collection<Outcome> outcomes) {
    return new Totals(
        count(outcomes, Result.PASS),
        count(outcomes, Result.FAIL) + count(outcomes, Result.TIMEOUT),
        count(outcomes, Result.SKIP),
        count(outcomes, Result.ERROR));
  }

  /** The exit status these totals make: nothing run is a failure. */
  ExitStatus status(boolean failOnSkip) {
    if (fail + error > 0 || pass + skip == 0 || (failOnSkip && skip > 0)) {
      return ExitStatus.FAILED;
    }
    return pass > 0 ? ExitStatus.PASSED : ExitStatus.SKIPPED;
  }

  /** In the form of kselftest's {@code ksft_print_cnts}. */
  @Override
  public String toString() {
    return "# Totals: pass:%d fail:%d xfail:0 xpass:0 skip:%d error:%d"
        .formatted(pass, fail, skip, error);
  }

  private static long count(Collection<Outcome> outcomes, Result result) {
    return outcomes.stream().filter(outcome -> outcome.result() == result).count();
  }
}
