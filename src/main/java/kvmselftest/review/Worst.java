package kvmselftest.review;

import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import kvmselftest.results.Results;
import kvmselftest.results.Status;
import kvmselftest.results.TestResult;
import org.jspecify.annotations.Nullable;

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

  /**
   * The names in some runs. A method that was skipped as a whole, with no case of it made, is there
   * by its cases if another run has them.
   */
  static Set<String> names(Collection<Map<String, TestResult>> runs) {
    Set<String> names = new LinkedHashSet<>();
    runs.forEach(run -> names.addAll(run.keySet()));
    Set<String> methodsWithCases = new HashSet<>();
    for (String name : names) {
      if (!method(name).equals(name)) {
        methodsWithCases.add(method(name));
      }
    }
    names.removeAll(methodsWithCases);
    return names;
  }

  /** What became of one of these in a run; null if it is not there. */
  static @Nullable TestResult in(Map<String, TestResult> run, String name) {
    TestResult own = run.get(name);
    TestResult whole = run.get(method(name));
    return own == null && whole != null && whole.status() == Status.SKIP ? whole : own;
  }

  /** The name of a case's method. */
  private static String method(String name) {
    int blank = name.indexOf(' ');
    return blank < 0 ? name : name.substring(0, blank);
  }

  private static int rank(TestResult test) {
    return switch (test.status()) {
      case FAIL -> 2;
      case PASS -> 1;
      case SKIP -> 0;
    };
  }
}
