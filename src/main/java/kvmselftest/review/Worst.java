package kvmselftest.review;

import java.util.LinkedHashMap;
import java.util.Map;
import kvmselftest.results.Results;
import kvmselftest.results.TestResult;

/** The tests of a run by name; of several rounds the one that says most. */
final class Worst {
  private Worst() {}

  /** A failure says more than a pass, and a pass more than a skip; in the order of the run. */
  static Map<String, TestResult> byName(Results results) {
    Map<String, TestResult> tests = new LinkedHashMap<>();
    for (TestResult test : results.tests()) {
      tests.merge(test.name(), test, (old, now) -> rank(now) > rank(old) ? now : old);
    }
    return tests;
  }

  private static int rank(TestResult test) {
    return switch (test.status()) {
      case FAIL -> 2;
      case PASS -> 1;
      case SKIP -> 0;
    };
  }
}
