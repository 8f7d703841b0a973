package kvmselftest.x86;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Needs no KVM: the AOT cache is trained with it, too. */
@Tag("training")
class HostTscTest {
  @Test
  void advances() {
    long first = HostTsc.read();
    assertTrue(HostTsc.read() - first > 0);
  }
}
