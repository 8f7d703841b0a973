package kvmselftest.results;

import java.util.Collection;

/** How many tests ended in which way; one that was cut off counts as failed. */
public record Totals(long pass, long fail, long skip) {
  static Totals of(Collection<TestResult> tests) {
    return new Totals(
        count(tests, Status.PASS), count(tests, Status.FAIL), count(tests, Status.SKIP));
  }

  private static long count(Collection<TestResult> tests, Status status) {
    return tests.stream().filter(test -> test.status() == status).count();
  }
}
