package kvmselftest.runner;

import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What a user is told of an exception: what it says and where it came from, in few lines. */
final class FailureText {
  private static final int MOST_LINES = 12;

  private FailureText() {}

  /**
   * What went wrong, then the causes, then the place in the test.
   *
   * @param testClass the full name of the test's class
   */
  static String of(@Nullable Throwable failure, String testClass) {
    if (failure == null) {
      return "no exception given";
    }
    Stream<String> causes =
        Stream.iterate(failure.getCause(), cause -> cause != null, Throwable::getCause)
            .map(cause -> "caused by " + cause);
    return Stream.of(Stream.of(says(failure)), causes, place(failure, testClass))
        .flatMap(part -> part)
        .flatMap(String::lines)
        .limit(MOST_LINES)
        .collect(Collectors.joining("\n"));
  }

  /** Why a test was given up, without the exception's class. */
  static String reasonOf(@Nullable Throwable aborted) {
    String message = aborted == null ? null : aborted.getMessage();
    return message == null ? "no reason given" : message.strip();
  }

  /** An assertion's message says enough; another exception's class says what happened. */
  private static String says(Throwable failure) {
    String message = failure.getMessage();
    boolean alone = failure instanceof AssertionError || failure instanceof CutOffException;
    return alone && message != null ? message : failure.toString();
  }

  private static Stream<String> place(Throwable failure, String testClass) {
    return Arrays.stream(failure.getStackTrace())
        .filter(frame -> frame.getClassName().equals(testClass))
        .limit(1)
        .map(frame -> "at " + frame);
  }
}
