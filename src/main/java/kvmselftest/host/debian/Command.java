package kvmselftest.host.debian;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import kvmselftest.host.HostException;

/** A program of the machine, run to its end with its messages in English. */
record Command(List<String> words, Path folder, Map<String, String> environment) {
  /** Long enough for 40 MB over a slow line; apt was seen to wait for ever on a full disk. */
  private static final int MOST_MINUTES = 10;

  /** What a program wrote, and how it ended. */
  record Result(int status, String out, String err) {}

  static Command of(String... words) {
    return new Command(List.of(words), Path.of("/"), Map.of());
  }

  /**
   * Waits for the program's end; the program is killed when the JVM is.
   *
   * @throws HostException when it cannot be started, does not end within ten minutes, or this
   *     thread is interrupted
   */
  Result run() throws HostException {
    try {
      return finished(start());
    } catch (IOException | CompletionException e) {
      throw new HostException(
          "cannot run " + words.getFirst() + ": " + e.getMessage() + "; check its installation", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new HostException(words.getFirst() + " was interrupted; run it again", e);
    }
  }

  private Process start() throws IOException {
    ProcessBuilder builder = new ProcessBuilder(words).directory(folder.toFile());
    builder.environment().put("LC_ALL", "C");
    builder.environment().putAll(environment);
    Process process = builder.start();
    process.getOutputStream().close();
    return process;
  }

  private Result finished(Process process) throws IOException, InterruptedException, HostException {
    Thread killer = new Thread(() -> stop(process));
    Runtime.getRuntime().addShutdownHook(killer);
    try {
      // Read beside each other: a full pipe that nobody reads would stop the program.
      CompletableFuture<String> out =
          CompletableFuture.supplyAsync(() -> text(process.getInputStream()));
      CompletableFuture<String> err =
          CompletableFuture.supplyAsync(() -> text(process.getErrorStream()));
      if (!process.waitFor(MOST_MINUTES, TimeUnit.MINUTES)) {
        throw new HostException(
            words.getFirst()
                + " had not ended after "
                + MOST_MINUTES
                + " minutes and was stopped; check the network and the disk");
      }
      return new Result(process.exitValue(), out.join(), err.join());
    } finally {
      stop(process);
      removeHook(killer);
    }
  }

  /** Its children too: those of apt were seen to live on without it. */
  private static void stop(Process process) {
    List<ProcessHandle> children = process.descendants().toList();
    process.destroyForcibly();
    children.forEach(ProcessHandle::destroyForcibly);
  }

  private static String text(InputStream in) {
    try (in) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void removeHook(Thread hook) {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The JVM is shutting down, and the hook does its work.
    }
  }
}
