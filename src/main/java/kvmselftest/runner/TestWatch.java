package kvmselftest.runner;

import java.io.IOException;

/**
 * Follows a run test by test. Called from the thread that runs the tests, but for {@link #close}.
 */
public interface TestWatch {
  /** Watches nothing. */
  TestWatch NONE =
      new TestWatch() {
        @Override
        public void started(String test) {}

        @Override
        public void ended() {}

        @Override
        public void close() {}
      };

  /** A test begins, by its name. */
  void started(String test);

  /** The test that began last has ended. */
  void ended();

  /**
   * The run is over. Any thread, any number of times.
   *
   * @throws IOException if what there was to write could not be written
   */
  void close() throws IOException;
}
