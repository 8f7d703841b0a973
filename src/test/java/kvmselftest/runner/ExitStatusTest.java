package kvmselftest.runner;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class ExitStatusTest {
  @Test
  void neverUsesWhatKselftestReadsAsExpectedFailure() {
    assertArrayEquals(
        new int[] {0, 1, 4, 64},
        Arrays.stream(ExitStatus.values()).mapToInt(ExitStatus::code).toArray());
  }
}
