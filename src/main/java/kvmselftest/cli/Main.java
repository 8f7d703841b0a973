package kvmselftest.cli;

import java.time.Duration;
import kvmselftest.kvm.Requirement;
import kvmselftest.runner.ExitStatus;
import kvmselftest.runner.Selftests;

/** The program behind {@code run-selftests.sh}; its {@code --help} says what it does. */
public final class Main {
  /** A hook that hangs, on a KVM that hangs, is not waited for longer than this. */
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private Main() {}

  /** Ends the JVM with an {@link ExitStatus}. */
  public static void main(String[] arguments) {
    int status = run(arguments).code();
    System.out.flush();
    haltIfHooksHang(status);
    System.exit(status);
  }

  private static ExitStatus run(String[] arguments) {
    try {
      return new Launch(
              Selftests::ofSuite,
              Requirement.KVM::unmet,
              new EmulatedHostRun(),
              System.getenv(),
              System.out,
              System.err)
          .run(arguments);
    } catch (RuntimeException | Error e) {
      System.err.println("error: the launcher failed: " + e);
      e.printStackTrace();
      return ExitStatus.FAILED;
    }
  }

  private static void haltIfHooksHang(int status) {
    Thread.ofPlatform().daemon().name("exit").start(() -> haltLater(status));
  }

  private static void haltLater(int status) {
    try {
      Thread.sleep(PATIENCE);
    } catch (InterruptedException e) {
      // Halting at once is as good.
    }
    Runtime.getRuntime().halt(status);
  }
}
