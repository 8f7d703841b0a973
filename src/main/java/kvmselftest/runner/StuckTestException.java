package kvmselftest.runner;

import java.time.Duration;
import java.util.Arrays;
import java.util.Map.Entry;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Stands as the cause where a test did not end in its time; its stack trace is where it was. */
final class StuckTestException extends CutOffException {
  private static final long serialVersionUID = 1L;

  private static final String OURS = "kvmselftest.";

  private StuckTestException(String message, StackTraceElement[] where) {
    super(message);
    setStackTrace(where);
  }

  /** Of a test that a thread has been at for longer than the bound. */
  static StuckTestException at(Thread thread, Duration bound) {
    StackTraceElement[] where = thread.getStackTrace();
    String others =
        Thread.getAllStackTraces().entrySet().stream()
            .filter(other -> other.getKey() != thread && other.getKey() != Thread.currentThread())
            .flatMap(StuckTestException::line)
            .sorted()
            .collect(Collectors.joining());
    String message =
        "did not end within %d s; it is at%n  %s%s"
            .formatted(bound.toSeconds(), place(where), others);
    return new StuckTestException(message, where);
  }

  private static Stream<String> line(Entry<Thread, StackTraceElement[]> thread) {
    return Arrays.stream(thread.getValue()).anyMatch(StuckTestException::isOurs)
        ? Stream.of(
            "%nthread %s is at%n  %s"
                .formatted(thread.getKey().getName(), place(thread.getValue())))
        : Stream.of();
  }

  /** The innermost frame, and the innermost of ours. */
  private static String place(StackTraceElement[] where) {
    return Stream.concat(
            Arrays.stream(where).limit(1),
            Arrays.stream(where).skip(1).filter(StuckTestException::isOurs).limit(2))
        .map(StackTraceElement::toString)
        .collect(Collectors.joining(", called by "));
  }

  private static boolean isOurs(StackTraceElement frame) {
    String name = frame.getClassName();
    return name.startsWith(OURS) && !name.equals(Execution.class.getName());
  }
}
