package kvmselftest.x86;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class HostTscTest {
  @Test
  void advances() {
    long first = HostTsc.read();
    assertTrue(HostTsc.read() - first > 0);
  }
}
