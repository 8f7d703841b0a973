package kvmselftest.host.qemu;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import kvmselftest.host.HostException;
import kvmselftest.host.Machine;
import kvmselftest.host.debian.QemuInstallation;
import kvmselftest.host.process.ChildProcess;

/** A running QEMU. Killed by {@link #close}, and when this JVM ends. */
public final class Qemu implements AutoCloseable {
  private static final long POLL_MILLIS = 20;

  private final ChildProcess child;
  private final Path errors;
  private Thread output = new Thread();

  private Qemu(ChildProcess child, Path errors) {
    this.child = child;
    this.errors = errors;
  }

  /**
   * Starts it.
   *
   * @param folder for what QEMU itself complains of
   * @throws HostException if it cannot be started
   */
  public static Qemu start(
      QemuInstallation qemu,
      Machine machine,
      Path kernel,
      Path initramfs,
      SerialFiles files,
      Path folder)
      throws HostException {
    Path errors = folder.resolve("qemu.log");
    ProcessBuilder builder =
        new ProcessBuilder(new QemuCommand(qemu, machine, kernel, initramfs, files).words())
            .redirectInput(Path.of("/dev/null").toFile())
            .redirectError(errors.toFile());
    builder.environment().putAll(qemu.environment());
    try {
      return new Qemu(ChildProcess.start(builder), errors);
    } catch (IOException e) {
      throw new HostException(
          "cannot start QEMU " + qemu.binary() + ": " + e.getMessage() + "; check it with --qemu",
          e);
    }
  }

  /**
   * Waits until the emulated host is up.
   *
   * @return false if it is not, but still runs, when the bound is over
   */
  public boolean awaitUp(ResultsFile results, Duration bound)
      throws IOException, InterruptedException {
    long end = System.nanoTime() + bound.toNanos();
    while (child.process().isAlive() && !results.isUp()) {
      if (System.nanoTime() > end) {
        return false;
      }
      Thread.sleep(POLL_MILLIS);
    }
    return true;
  }

  /** From now on passes the programs' output on, as it comes. Until then it waits in the pipe. */
  public void passOutputTo(PrintStream out) {
    output = Thread.ofVirtual().start(() -> copy(child.process().getInputStream(), out));
  }

  /**
   * Waits for its end, and until all its output has been passed on.
   *
   * @return false if it still runs when the bound is over
   */
  public boolean awaitEnd(Duration bound) throws InterruptedException {
    if (!child.process().waitFor(bound.toMillis(), TimeUnit.MILLISECONDS)) {
      return false;
    }
    output.join(Duration.ofSeconds(5));
    return true;
  }

  /** Its exit status, 128 and the number of the signal when one killed it. It must have ended. */
  public int exitStatus() {
    return child.process().exitValue();
  }

  /** What QEMU itself said last; empty if nothing. */
  public String complaint() {
    try {
      return Files.readString(errors).lines().reduce("", (a, b) -> b).strip();
    } catch (IOException e) {
      return "";
    }
  }

  /** Kills it if it still runs. */
  @Override
  public void close() {
    child.close();
  }

  /** In pieces as they come: a line that is not ended yet is shown, too. */
  private static void copy(InputStream in, PrintStream out) {
    byte[] piece = new byte[4096];
    try (in) {
      for (int size = in.read(piece); size >= 0; size = in.read(piece)) {
        out.write(piece, 0, size);
        out.flush();
      }
    } catch (IOException e) {
      // Closed under it, because QEMU was killed.
    }
  }
}
