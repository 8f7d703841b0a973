package kvmselftest.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GlobTest {
  @ParameterizedTest
  @CsvSource({
    "offset, SystemCounterOffsetTest, true",
    "OFFSETtest, SystemCounterOffsetTest, true",
    "*Offset, SystemCounterOffsetTest, false",
    "*Offset*, SystemCounterOffsetTest, true",
    "System*Test, SystemCounterOffsetTest, true",
    "System?ounter*, SystemCounterOffsetTest, true",
    "Kvm.lock, KvmClockTest, false",
    "KvmClockTest.s*, KvmClockTest.setsClock, true",
    "'[1] +180e9', '[1] +180e9', true",
  })
  void matches(String pattern, String name, boolean expected) {
    assertEquals(expected, new Glob(pattern).matches(name));
  }
}
