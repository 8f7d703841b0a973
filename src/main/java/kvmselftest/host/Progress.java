package kvmselftest.host;

/** Told, as it happens, what is being done. Called from the thread that does the work. */
@FunctionalInterface
public interface Progress {
  /** What begins or has been done, in one line without its line end. */
  void step(String line);
}
