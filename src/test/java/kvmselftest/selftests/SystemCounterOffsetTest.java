package kvmselftest.selftests;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import java.util.stream.Stream;
import kvmselftest.Requires;
import kvmselftest.guest.Guest;
import kvmselftest.guest.GuestBlob;
import kvmselftest.guest.Ucall;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Requirement;
import kvmselftest.kvm.TscOffset;
import kvmselftest.kvm.Vcpu;
import kvmselftest.x86.CounterWindow;
import kvmselftest.x86.ErrorBounds;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A guest's RDTSC is the host's TSC plus the offset that KVM_VCPU_TSC_OFFSET was set to.
 *
 * <p>Mirrors tools/testing/selftests/kvm/system_counter_offset_test.c (Linux 5.16). As there, the
 * offset changes from case to case on one live vCPU; each case also gets a vCPU of its own.
 */
@Tag("selftest")
@Requires({Requirement.KVM, Requirement.TSC_OFFSET, Requirement.TSC_STABLE})
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SystemCounterOffsetTest {
  private static final GuestBlob GUEST = GuestBlob.named("system_counter_offset_test");

  private static final int VCPUS = 4;
  private static final int RUNS = 50;

  private final Kvm kvm = Kvm.open();
  private final Guest guest = Guest.load(kvm, GUEST);
  private Vcpu liveVcpu;
  private long liveStage;

  /** Upstream's values; it calls them nanoseconds, but they are ticks. */
  static Stream<Arguments> offsets() {
    return Stream.of(
        argumentSet("offset 0", new TscOffset(0)),
        argumentSet("offset +180e9", new TscOffset(180_000_000_000L)),
        argumentSet("offset -180e9", new TscOffset(-180_000_000_000L)));
  }

  @BeforeAll
  void createLiveVcpu() {
    liveVcpu = guest.createVcpu(0, 0);
  }

  @AfterAll
  void close() {
    guest.close();
    kvm.close();
  }

  @ParameterizedTest
  @MethodSource("offsets")
  void guestTscFollowsOffsetOfLiveVcpu(TscOffset offset, TestReporter reporter) {
    assertGuestTscIsHostTscPlus(offset, liveVcpu, liveStage++, reporter);
  }

  @ParameterizedTest
  @MethodSource("offsets")
  void guestTscFollowsOffsetOfFreshVcpu(TscOffset offset, TestReporter reporter) {
    try (Guest fresh = Guest.load(kvm, GUEST)) {
      assertGuestTscIsHostTscPlus(offset, fresh.createVcpu(0, 0), 0, reporter);
    }
  }

  /**
   * The same by many runs whose brackets are intersected, on vCPUs with offsets of their own: what
   * one bracket of a KVM_RUN hides, shows. Where host and guest run at the same time,
   * RunningVcpuTest sees far smaller errors.
   */
  @Test
  void guestTscFollowsOffsetInManyRuns(TestReporter reporter) {
    try (Guest fresh = Guest.load(kvm, GUEST)) {
      for (int i = 0; i < VCPUS; i++) {
        Vcpu vcpu = fresh.createVcpu(i, 0);
        TscOffset offset = new TscOffset(-7_000_000_000L * (i + 1));
        vcpu.setTscOffset(offset);

        ErrorBounds bounds = new ErrorBounds("ticks");
        for (int run = 0; run < RUNS; run++) {
          CounterWindow hostTsc = vcpu.runBetweenHostTscs();
          bounds.add(Ucall.sync(vcpu, run).value(0), hostTsc.plus(offset.ticks()));
        }

        String observation = "%s with offset %s: guest TSC's %s".formatted(vcpu, offset, bounds);
        reporter.publishEntry(Measured.error(observation, "guest TSC of " + vcpu, bounds));
        assertTrue(bounds.allowNone(), () -> observation + ", which leaves out 0");
      }
    }
  }

  private static void assertGuestTscIsHostTscPlus(
      TscOffset offset, Vcpu vcpu, long stage, TestReporter reporter) {
    vcpu.setTscOffset(offset);

    CounterWindow hostTsc = vcpu.runBetweenHostTscs();

    long observed = Ucall.sync(vcpu, stage).value(0);
    CounterWindow expected = hostTsc.plus(offset.ticks());
    String observation =
        "%s: guest TSC %s, host TSC %+d before and after KVM_RUN: %s"
            .formatted(vcpu, Long.toUnsignedString(observed), offset.ticks(), expected);
    reporter.publishEntry(Measured.reading(observation, "guest TSC", "ticks", observed, expected));
    assertTrue(
        expected.contains(observed),
        () ->
            "%s; it is %+d ticks past the start of the window"
                .formatted(observation, observed - expected.from()));
  }
}
