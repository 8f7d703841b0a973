package kvmselftest.kvm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class ClockDataTest {
  @Test
  void flagsHaveTheirNames() {
    assertEquals("0x0", ClockData.flagNames(0));
    assertEquals(
        "KVM_CLOCK_TSC_STABLE|KVM_CLOCK_REALTIME|KVM_CLOCK_HOST_TSC", ClockData.flagNames(0xe));
    assertEquals("KVM_CLOCK_REALTIME|0x11", ClockData.flagNames(0x15));
  }

  @Test
  void exitReasonHasItsName() {
    assertEquals("KVM_EXIT_IO", ExitReason.nameOf(2));
    assertEquals("exit reason 4711", ExitReason.nameOf(4711));
  }
}
