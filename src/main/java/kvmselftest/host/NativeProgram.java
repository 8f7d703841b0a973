package kvmselftest.host;

import java.util.List;

/**
 * A program that is in the image, as busybox or one of {@link HostRun#files()}. There are no
 * libraries but the JVM's: it had better be static.
 *
 * @param words its path in the image, and its arguments
 */
public record NativeProgram(List<String> words) implements HostCommand {
  public NativeProgram {
    words = List.copyOf(words);
  }

  public NativeProgram(String... words) {
    this(List.of(words));
  }
}
