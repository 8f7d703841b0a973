package kvmselftest.selftests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.util.Optional;
import kvmselftest.kvm.KvmModule;
import kvmselftest.sys.Errno;

/** What the kernel says to a call that it has to refuse, or must not. */
final class Refusal {
  private Refusal() {}

  /**
   * @param call the ioctl with its arguments, for the message
   */
  static void assertRefused(Errno expected, Optional<Errno> answer, String call) {
    assertEquals(expected.toString(), describe(answer), call);
  }

  static void assertAccepted(Optional<Errno> answer, String call) {
    assertEquals("accepted", describe(answer), call);
  }

  private static String describe(Optional<Errno> answer) {
    return answer.map(Errno::toString).orElse("accepted");
  }

  /** Skips the test where KVM may refuse no MSR. */
  static void assumeThatMsrsAreRefused() {
    assumeFalse(
        KvmModule.ignoresMsrs(),
        "KVM takes every MSR for a known one (kvm.ignore_msrs): echo N | sudo tee"
            + " /sys/module/kvm/parameters/ignore_msrs");
  }
}
