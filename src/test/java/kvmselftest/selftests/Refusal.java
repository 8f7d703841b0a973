package kvmselftest.selftests;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Optional;
import kvmselftest.sys.Errno;

/** Asserts what the kernel says to an ioctl that it has to refuse, or must not. */
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
}
