package kvmselftest.host;

import java.util.List;

/**
 * A Java program on the class path of a {@link HostRun}. It starts in a folder of its own in the
 * image.
 *
 * @param mainClass its main class
 * @param arguments what it is called with
 * @param jvmOptions added to those that make a JVM start quickly in an emulated CPU, and overriding
 *     them where they contradict
 */
public record JavaProgram(String mainClass, List<String> arguments, List<String> jvmOptions)
    implements HostCommand {
  public JavaProgram {
    arguments = List.copyOf(arguments);
    jvmOptions = List.copyOf(jvmOptions);
  }

  public JavaProgram(String mainClass, List<String> arguments) {
    this(mainClass, arguments, List.of());
  }
}
