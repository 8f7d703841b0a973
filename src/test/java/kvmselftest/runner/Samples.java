package kvmselftest.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.concurrent.CountDownLatch;
import kvmselftest.results.Measurement;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Disabled;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests for the runner to run. Not to be found by Surefire: their names do not end in Test. */
final class Samples {
  static final String BUSY = "/dev/kvm is busy (EBUSY): end the other hypervisor";
  static final String ABSENT = "no /dev/kvm: load the kvm modules";

  private Samples() {}

  @Tag("sample")
  static class Passing {
    @Test
    void observes(TestReporter reporter) {
      reporter.publishEntry("guestTsc", "180000000001 in [180000000000, 180000000009]");
    }

    @ParameterizedTest(name = "offset {0}", quoteTextArguments = false)
    @ValueSource(strings = {"0", "+180e9", "-180e9"})
    void hasCases(String offset) {
      Assertions.assertNotNull(offset);
    }

    @Test
    @Tag("other")
    void isTaggedTwice() {}
  }

  @Tag("sample")
  static class Measuring {
    @Test
    void publishes(TestReporter reporter) {
      reporter.publishEntry(Measurement.ofError("clock", "ns", -3, 5, 7).entry("clock's error"));
      reporter.publishEntry("again");
      reporter.publishEntry("chart.migration", "{\"vcpus\":1,\"samples\":[{\"guestTsc\":\"1\"}]}");
      reporter.publishEntry("chart.broken", "{\"vcpus\":");
    }
  }

  @Tag("sample")
  static class Failing {
    @Test
    void compares(TestReporter reporter) {
      reporter.publishEntry("clock", "41");
      reporter.publishEntry("chart.clock", "{}");
      assertEquals(42, 41, "kvmclock after KVM_SET_CLOCK");
    }

    @Test
    void throwsUp() {
      throw new IllegalStateException("KVM_RUN", new IllegalArgumentException("EFAULT"));
    }
  }

  @Tag("sample")
  static class Skipping {
    @Test
    @Disabled(ABSENT)
    void byCondition() {}

    @Test
    void byAssumption() {
      Assumptions.abort(BUSY + "\nand a second line");
    }
  }

  @Tag("sample")
  @Disabled(ABSENT)
  static class SkippedWhole {
    @Test
    void one() {}

    @Test
    void two() {}

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void three(int number) {
      Assertions.assertNotEquals(0, number);
    }

    @Test
    void four() {}
  }

  @Tag("sample")
  static class AbortedWhole {
    @BeforeAll
    static void setUp() {
      Assumptions.abort(BUSY);
    }

    @Test
    void one() {}

    @Test
    void two() {}
  }

  @Tag("sample")
  static class FailingSetUp {
    @BeforeAll
    static void setUp() {
      Assertions.fail("no memory for the guest");
    }

    @Test
    void never() {}
  }

  @Tag("sample")
  static class LackingSource {
    @ParameterizedTest
    @MethodSource("nowhere")
    void cases(int number) {
      Assertions.assertNotEquals(0, number);
    }
  }

  @Tag("sample")
  static class Hanging {
    private static final CountDownLatch NEVER = new CountDownLatch(1);

    @Test
    void blocks() throws InterruptedException {
      NEVER.await();
    }
  }

  @Tag("sample")
  static class TakingLong {
    @Test
    @Tag("thorough")
    void cycles() {}

    @Test
    void looks() {}
  }

  @Tag("sample")
  static class FailsOnSkip {
    @Test
    void readsTheProperty() {
      assertEquals("true", System.getProperty("kvmselftest.failOnSkip"));
    }
  }

  @Tag("sample")
  static class Strict {
    @Test
    void readsTheProperty() {
      assertEquals("true", System.getProperty("kvmselftest.strict"));
    }
  }

  @Tag("sample")
  static class WeirdlyNamed {
    @ParameterizedTest(name = "{0}", quoteTextArguments = false)
    @ValueSource(strings = {"case #2 # SKIP no", "two\nlines", "- 5", "not ok 7 x", "Subtest: y"})
    void has(String name) {
      Assertions.assertNotNull(name);
    }

    @Test
    void failsWithText() {
      Assertions.fail("Subtest: Samples.Passing\nok 1 fake\n  KTAP version 1\n1..9\n\tend # SKIP");
    }

    @Test
    void isSkippedForNumberSign() {
      Assumptions.abort("needs issue #12 # SKIP\nand more");
    }
  }

  @Tag("sample")
  static class SameNames {
    @ParameterizedTest(name = "{0}", quoteTextArguments = false)
    @ValueSource(strings = {"a", "a"})
    void has(String name) {
      Assertions.assertNotNull(name);
    }
  }

  @Tag("sample")
  static class Plain {
    @Test
    void one() {}

    @Test
    void two() {}
  }

  @Tag("sample")
  static class FailingTearDown {
    @AfterAll
    static void tearDown() {
      Assertions.fail("the VM is still open");
    }

    @Test
    void passes() {}
  }

  @Tag("sample")
  static class Printing {
    @Test
    void prints() {
      System.out.println("ok 99 this is no result");
      System.err.println("nor this");
    }
  }
}
