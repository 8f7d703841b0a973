package kvmselftest.bank;

/**
 * A test of the suite that failed.
 *
 * @param name Class.method, or Class where that failed itself
 * @param message what it said, of the first of its invocations that failed
 */
record FailedTest(String name, String message) {}
