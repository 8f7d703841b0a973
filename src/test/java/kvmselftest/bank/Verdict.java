package kvmselftest.bank;

import java.util.List;

/**
 * What became of one bug.
 *
 * @param caughtBy tests of the suite that failed, by short name
 * @param upstream upstream's C tests that failed
 * @param noVerdict why the suite came to none; empty if it came to one
 */
record Verdict(List<String> caughtBy, List<String> upstream, String noVerdict) {
  Verdict {
    caughtBy = List.copyOf(caughtBy);
    upstream = List.copyOf(upstream);
  }

  static Verdict none(String reason) {
    return new Verdict(List.of(), List.of(), reason);
  }

  /** A host that crashes or hangs has not passed. */
  boolean isCaught() {
    return !caughtBy.isEmpty() || !noVerdict.isEmpty();
  }

  /** In one line. */
  String describe() {
    if (!isCaught()) {
      return "not caught" + andUpstream();
    }
    return (noVerdict.isEmpty() ? "caught by " + String.join(", ", caughtBy) : noVerdict)
        + andUpstream();
  }

  private String andUpstream() {
    return upstream.isEmpty() ? "" : "; by upstream's " + String.join(", ", upstream);
  }
}
