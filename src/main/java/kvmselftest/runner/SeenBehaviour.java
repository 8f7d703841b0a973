package kvmselftest.runner;

/**
 * What this kernel does where kernels rightly differ. In {@link #toString()}, as the run's header
 * has it: {@code # behaviour: sync.bookkeeping legacy}.
 *
 * @param key what it is about
 * @param seen what the kernel does, in one line
 */
public record SeenBehaviour(String key, String seen) {
  /** Its name among the properties of the XML report. */
  String property() {
    return "kvmselftest.behaviour." + key;
  }

  @Override
  public String toString() {
    return "# behaviour: " + key + " " + seen;
  }
}
