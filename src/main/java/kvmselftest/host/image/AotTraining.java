package kvmselftest.host.image;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import kvmselftest.host.HostException;
import kvmselftest.host.JavaProgram;
import kvmselftest.host.process.Tool;

/**
 * A run of the program on this machine, of which the JVM makes a cache of loaded and linked classes
 * (JEP 514). How the program itself ends does not matter: here it has nothing to test.
 */
record AotTraining(JavaRuntime runtime, GuestJvm jvm, JavaProgram program) {
  /** The run made no cache. */
  static final class FailedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    FailedException(String message) {
      super(message, null, false, false);
    }

    @Override
    public String getMessage() {
      return String.valueOf(super.getMessage());
    }
  }

  private static final Duration BOUND = Duration.ofMinutes(3);

  /**
   * Makes the cache.
   *
   * @param stage the folder the program runs in, with the jars where the image has them
   * @return the cache, in that folder
   */
  Path run(Path stage) throws HostException {
    Path cache = stage.resolve(GuestJvm.AOT_CACHE);
    String java = runtime.home().resolve("bin/java").toString();
    List<String> words =
        jvm.command(java, List.of("-XX:AOTCacheOutput=" + GuestJvm.AOT_CACHE), program);
    Tool.Result result = new Tool(words, stage, BOUND).run();
    if (!Files.isRegularFile(cache)) {
      throw new FailedException("the training run made no AOT cache: " + result.lastLine());
    }
    return cache;
  }
}
