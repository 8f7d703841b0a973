package kvmselftest.host.process;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

/**
 * A process that ends with this one: a shutdown hook kills it when Ctrl-C or SIGTERM ends the JVM
 * first.
 */
public final class ChildProcess implements AutoCloseable {
  private final Process process;
  private final Thread killer;

  private ChildProcess(Process process) {
    this.process = process;
    killer = new Thread(this::kill, "kill " + process.pid());
  }

  /**
   * Starts it.
   *
   * @throws IOException if the program cannot be run
   */
  public static ChildProcess start(ProcessBuilder builder) throws IOException {
    // They are meant for the user's own Java programs, and their banner would garble ours.
    builder.environment().keySet().removeAll(JavaVariables.NAMES);
    ChildProcess child = new ChildProcess(builder.start());
    Runtime.getRuntime().addShutdownHook(child.killer);
    return child;
  }

  public Process process() {
    return process;
  }

  /** Kills it, if it still runs, and waits for its end. */
  @Override
  public void close() {
    kill();
    try {
      Runtime.getRuntime().removeShutdownHook(killer);
    } catch (IllegalStateException e) {
      // The JVM is shutting down, and the hook has done its work.
    }
  }

  private void kill() {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
    try {
      // SIGKILL cannot be refused; only a process stuck in the kernel takes its time.
      process.waitFor(5, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
