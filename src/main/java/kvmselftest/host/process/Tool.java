package kvmselftest.host.process;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import kvmselftest.host.HostException;

/**
 * A program that is run to its end.
 *
 * @param words the program and its arguments
 * @param folder its working folder
 * @param bound it is killed when it takes longer
 * @param environment added to this process's own
 */
public record Tool(
    List<String> words, Path folder, Duration bound, Map<String, String> environment) {
  /**
   * What became of it.
   *
   * @param status its exit status, 128 and the number of the signal when one killed it
   * @param output standard output and error, as they came
   */
  public record Result(int status, String output) {
    /** What it said last, in one line. */
    public String lastLine() {
      return output.lines().filter(line -> !line.isBlank()).reduce("", (a, b) -> b).strip();
    }
  }

  public Tool {
    words = List.copyOf(words);
    environment = Map.copyOf(environment);
  }

  /** One with nothing added to its environment. */
  public Tool(List<String> words, Path folder, Duration bound) {
    this(words, folder, bound, Map.of());
  }

  /**
   * Waits for its end.
   *
   * @throws HostException if it cannot be run, takes too long, or this thread is interrupted
   */
  public Result run() throws HostException {
    try (ChildProcess child = ChildProcess.start(builder())) {
      return finished(child.process());
    } catch (IOException e) {
      throw new HostException("cannot run " + words.getFirst() + ": " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new HostException(words.getFirst() + " was interrupted; run it again", e);
    }
  }

  private ProcessBuilder builder() {
    ProcessBuilder builder =
        new ProcessBuilder(words)
            .directory(folder.toFile())
            .redirectInput(Path.of("/dev/null").toFile())
            .redirectErrorStream(true);
    builder.environment().put("LC_ALL", "C");
    builder.environment().putAll(environment);
    return builder;
  }

  private Result finished(Process process) throws InterruptedException, HostException {
    CompletableFuture<String> output =
        CompletableFuture.supplyAsync(() -> text(process.getInputStream()));
    if (!process.waitFor(bound.toMillis(), TimeUnit.MILLISECONDS)) {
      throw new HostException(
          words.getFirst() + " did not end within " + bound.toSeconds() + " s; run it again");
    }
    // A grandchild could hold the pipe open; its output is not waited for.
    return new Result(
        process.exitValue(), output.completeOnTimeout("", 5, TimeUnit.SECONDS).join());
  }

  private static String text(InputStream in) {
    try (in) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      return "(its output cannot be read: " + e.getMessage() + ")";
    }
  }
}
