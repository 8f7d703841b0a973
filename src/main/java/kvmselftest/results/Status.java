package kvmselftest.results;

import java.util.Locale;

/** What became of a test. */
public enum Status {
  /** It ran, and all that it asserts holds. */
  PASS,
  /** It ran and failed, or was cut off. */
  FAIL,
  /** It cannot run here. */
  SKIP;

  /** As in results.json. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
