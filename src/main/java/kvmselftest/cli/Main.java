package kvmselftest.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.List;
import kvmselftest.host.cache.CacheFolder;
import kvmselftest.kvm.Requirement;
import kvmselftest.runner.ExitStatus;
import kvmselftest.runner.Selftests;

/** The program behind {@code run-selftests.sh}; its {@code --help} says what it does. */
public final class Main {
  /** A hook that hangs, on a KVM that hangs, is not waited for longer than this. */
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  /** Standard output is for what was asked for; what tests print by themselves is not. */
  private static final PrintStream OUT = System.out;

  private Main() {}

  /** Ends the JVM with an {@link ExitStatus}. */
  public static void main(String[] arguments) {
    System.setOut(System.err);
    int status = run(arguments).code();
    OUT.flush();
    haltIfHooksHang(status);
    System.exit(status);
  }

  private static ExitStatus run(String[] arguments) {
    try {
      return arguments.length > 0 && arguments[0].equals(ForwardedRun.MARK)
          ? ForwardedRun.of(List.of(arguments)).of(Selftests.ofSuite(), OUT).run()
          : launch().run(arguments);
    } catch (IOException e) {
      System.err.println("error: cannot write the report: " + e);
      return ExitStatus.FAILED;
    } catch (RuntimeException | Error e) {
      System.err.println("error: the launcher failed: " + e);
      e.printStackTrace();
      return ExitStatus.FAILED;
    }
  }

  private static Launch launch() {
    return new Launch(
        Selftests::ofSuite,
        Requirement.KVM::unmet,
        BehaviourTrials::seen,
        new EmulatedHostRun(CacheFolder.ofUser(System.getenv())),
        System.getenv(),
        OUT,
        System.err);
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
