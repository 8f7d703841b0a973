package kvmselftest.runner;

import java.util.Map;

/**
 * What a run asks for beyond tests that do not fail.
 *
 * @param noSkips a test that cannot run here is a failure
 * @param newestBehaviours where kernels rightly differ, this one is to do as the newest does
 */
public record Demands(boolean noSkips, boolean newestBehaviours) {
  /** Nothing more. */
  public static final Demands NONE = new Demands(false, false);

  private static final String FAIL_ON_SKIP = "kvmselftest.failOnSkip";
  private static final String STRICT = "kvmselftest.strict";

  /** Set for the tests, as JUnit configuration parameters and as system properties. */
  Map<String, String> parameters() {
    return Map.of(
        FAIL_ON_SKIP, Boolean.toString(noSkips), STRICT, Boolean.toString(newestBehaviours));
  }
}
