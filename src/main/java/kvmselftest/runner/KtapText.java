package kvmselftest.runner;

/**
 * Text as a line of KTAP may have it (Documentation/dev-tools/ktap.rst): a description may hold
 * neither a number sign, which begins a directive, nor a line break.
 */
final class KtapText {
  private static final String SUBTEST = "Subtest:";

  private KtapText() {}

  /** A test's name, or a reason behind a directive. */
  static String description(String text) {
    String oneLine = text.replaceAll("[\\p{Cntrl}\\s]+", " ").strip();
    return oneLine.isEmpty() ? "unnamed" : oneLine.replace('#', '_');
  }

  /** A line of free text, of which no parser makes a header of its own. */
  static String diagnostic(String text) {
    String line = text.replaceAll("\\p{Cntrl}", " ").stripTrailing();
    if (line.isEmpty()) {
      return "#";
    }
    return (line.startsWith(SUBTEST) ? "#  " : "# ") + line;
  }
}
