package kvmselftest.bank;

import java.util.List;

/**
 * What became of one bug.
 *
 * @param failed tests of the suite that failed
 * @param upstream upstream's C tests that failed
 * @param noVerdict why the suite came to none; empty if it came to one
 */
record Verdict(List<FailedTest> failed, List<String> upstream, String noVerdict) {
  Verdict {
    failed = List.copyOf(failed);
    upstream = List.copyOf(upstream);
  }

  static Verdict none(String reason) {
    return new Verdict(List.of(), List.of(), reason);
  }

  /** Names of the tests that failed. */
  List<String> caughtBy() {
    return failed.stream().map(FailedTest::name).toList();
  }

  /** A host that crashes or hangs has not passed. */
  boolean isCaught() {
    return !failed.isEmpty() || !noVerdict.isEmpty();
  }

  /** In one line. */
  String describe() {
    if (!isCaught()) {
      return "not caught" + andUpstream();
    }
    return (noVerdict.isEmpty() ? "caught by " + String.join(", ", caughtBy()) : noVerdict)
        + andUpstream();
  }

  private String andUpstream() {
    return upstream.isEmpty() ? "" : "; by upstream's " + String.join(", ", upstream);
  }
}
