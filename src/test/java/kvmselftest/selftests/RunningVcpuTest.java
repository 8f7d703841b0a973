package kvmselftest.selftests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import kvmselftest.Requires;
import kvmselftest.guest.ClockGuest;
import kvmselftest.guest.RunningClocks;
import kvmselftest.guest.VcpuThread;
import kvmselftest.guest.WatchedKvmclock;
import kvmselftest.kvm.ClockData;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Requirement;
import kvmselftest.kvm.TimedCalls;
import kvmselftest.kvm.TimedCalls.Timed;
import kvmselftest.kvm.TscOffset;
import kvmselftest.kvm.Vcpu;
import kvmselftest.x86.ErrorBounds;
import kvmselftest.x86.Msr;
import kvmselftest.x86.PvclockPage;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The clocks of vCPUs that run, watched by the host and by each other through a shared page while
 * they run. Nothing but a cache line's trip lies between one side's reading and the other's, so
 * that an offset of the hardware's shows that is wrong by some 10 ns, which a bracket around
 * KVM_RUN hides.
 *
 * <p>What KVM remembers as the offset (KVM_VCPU_TSC_OFFSET) and what the CPU adds to RDTSC are two
 * things; these tests compare the second with the first, whichever way it was changed.
 */
@Tag("selftest")
@Requires({
  Requirement.KVM,
  Requirement.TSC_OFFSET,
  Requirement.TSC_CLOCKSOURCE,
  Requirement.PARALLEL_CPUS
})
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RunningVcpuTest {
  private static final int VCPUS = 4;

  /** How often the two sides see each other's clock in a comparison: it takes some 1 ms. */
  private static final long ENOUGH = 3_000;

  /**
   * What the guest's kvmclock may be ahead by rounding, ns: it rounds down once, after all ticks
   * since the page's timestamp. KVM_GET_CLOCK rounds down too, and the host once more after the
   * ticks since then: 1 ns. Each shifts its ticks to the right before, and the two together may
   * lose one of the shifted ticks, which are at most 1 ns (arch/x86/kvm/x86.c, kvm_get_time_scale).
   */
  private static final long MOST_ROUNDING = 2;

  /** How often the clock is set under a running vCPU. */
  private static final int SETTINGS = 8;

  private static final long HOUR = Duration.ofHours(1).toNanos();

  private final Kvm kvm = Kvm.open();
  private final ClockGuest guest = ClockGuest.load(kvm);
  private final RunningClocks clocks = new RunningClocks(guest, ENOUGH);
  private List<VcpuThread> vcpus;

  @BeforeAll
  void createVcpus() {
    vcpus = IntStream.range(0, VCPUS).mapToObj(i -> VcpuThread.start(guest, i)).toList();
    vcpus.forEach(vcpu -> vcpu.run(guest::enableKvmclock));
  }

  @AfterAll
  void close() {
    vcpus.forEach(VcpuThread::close);
    guest.close();
    kvm.close();
  }

  /** Both signs, more than 32 and more than 48 bits. */
  @ParameterizedTest
  @ValueSource(longs = {0, 180_000_000_000L, -180_000_000_000L, Long.MIN_VALUE})
  void guestTscIsHostTscPlusOffset(long first, TestReporter reporter) {
    for (VcpuThread vcpu : vcpus) {
      TscOffset offset = new TscOffset(first + vcpu.index() * 1_000_003L);
      vcpu.run(owned -> owned.setTscOffset(offset));

      assertFollows(vcpu, offset, reporter);
    }
    // Again on the other CPU of the host, after the others ran.
    assertFollows(vcpus.getFirst(), new TscOffset(first), reporter);
  }

  @Test
  void guestTscFollowsHostsWriteOfTsc(TestReporter reporter) {
    for (VcpuThread vcpu : vcpus) {
      vcpu.run(owned -> owned.setMsr(Msr.IA32_TSC, 7_000_000_000_000L * (vcpu.index() + 1)));

      assertFollows(vcpu, offset(vcpu), reporter);
    }
  }

  @Test
  void guestTscFollowsGuestsWriteOfTsc(TestReporter reporter) {
    for (VcpuThread vcpu : vcpus) {
      vcpu.run(owned -> guest.writeMsr(owned, Msr.IA32_TSC, 5_000_000_000_000L));

      assertFollows(vcpu, offset(vcpu), reporter);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {4_000_000_000_000L, -4_000_000_000_000L, 0})
  void guestTscFollowsGuestsWriteOfTscAdjust(long adjust, TestReporter reporter) {
    for (VcpuThread vcpu : vcpus) {
      vcpu.run(owned -> guest.writeMsr(owned, Msr.IA32_TSC_ADJUST, adjust + vcpu.index()));

      assertFollows(vcpu, offset(vcpu), reporter);
    }
  }

  @Test
  void vcpusWithDifferentOffsetsSeeExactlyThatDifference(TestReporter reporter) {
    vcpus.forEach(vcpu -> vcpu.run(owned -> owned.setTscOffset(steps(vcpu))));

    for (VcpuThread one : vcpus) {
      VcpuThread other = vcpus.get((one.index() + 1) % VCPUS);
      long ahead = steps(one).ticks() - steps(other).ticks();
      assertNoError(
          "TSC of vCPU %d, %+d ticks ahead of vCPU %d's"
              .formatted(one.index(), ahead, other.index()),
          clocks.tscBetween(one, other, ahead),
          reporter);
    }
  }

  private static TscOffset steps(VcpuThread vcpu) {
    return new TscOffset(-50_000_000_000L * vcpu.index());
  }

  @Test
  void vcpusWithEqualOffsetsNeverSeeTscRunBackwards(TestReporter reporter) {
    equalise(new TscOffset(-123_456_789_012L));

    for (VcpuThread one : vcpus) {
      VcpuThread other = vcpus.get((one.index() + 1) % VCPUS);
      assertNoError(
          "TSC of vCPUs %d and %d".formatted(one.index(), other.index()),
          clocks.tscBetween(one, other, 0),
          reporter);
    }
  }

  @Test
  void vcpusWithMasterClockNeverSeeKvmclockRunBackwards(TestReporter reporter) {
    equalise(new TscOffset(-123_456_789_012L));

    for (VcpuThread one : vcpus) {
      VcpuThread other = vcpus.get((one.index() + 1) % VCPUS);
      assertNoError(
          "kvmclock of vCPUs %d and %d".formatted(one.index(), other.index()),
          clocks.kvmclockBetween(one, other),
          reporter);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 180_000_000_000L, 1L << 58})
  void guestsKvmclockIsWhatHostComputesFromGetClock(long set, TestReporter reporter) {
    equalise(new TscOffset(-9_876_543_210L));
    guest.vm().setClock(ClockData.ofClock(set));
    vcpus.forEach(vcpu -> vcpu.run(guest::run));
    ClockData got = guest.vm().getClock();
    assertEquals(
        ClockData.flagNames(ClockData.ALL_FLAGS),
        ClockData.flagNames(got.flags()),
        "flags of KVM_GET_CLOCK with equal offsets, after all vCPUs have run");

    for (VcpuThread vcpu : vcpus) {
      ErrorBounds bounds =
          clocks.kvmclockAgainstHost(vcpu, atHostTsc(got, guest.pvclockPage(vcpu.index())));
      String observation =
          "kvmclock of vCPU %d, set to %d ns, against KVM_GET_CLOCK carried on by the host's TSC: %s"
              .formatted(vcpu.index(), set, bounds);
      reporter.publishEntry(
          Measured.error(observation, "kvmclock of running vCPU " + vcpu.index(), bounds));
      assertTrue(
          bounds.allowRounding(0, MOST_ROUNDING),
          observation + ", but rounding makes 0 to %d ns".formatted(MOST_ROUNDING));
    }
  }

  /**
   * While vCPUs read kvmclock, another one makes KVM write all their pages anew. Whether or not KVM
   * takes a new snapshot of the host's clocks for that, no vCPU sees another's kvmclock run
   * backwards by more than the two clocks' rates differ by (MigrationRecipeTest has the reason).
   */
  @Test
  void kvmclockDoesNotRunBackwardsWhilePagesAreWritten(TestReporter reporter) {
    equalise(new TscOffset(-42_000_000_000L));
    VcpuThread writer = vcpus.getLast();
    long begin = guest.vm().getClock().clock();

    ErrorBounds bounds =
        clocks.kvmclockBetween(vcpus.get(0), vcpus.get(1), () -> writer.run(guest::enableKvmclock));

    long drift = 1 + (guest.vm().getClock().clock() - begin) / 1_000_000;
    String observation =
        "kvmclock of vCPUs 0 and 1 while vCPU %d enables kvmclock again and again: %s"
            .formatted(writer.index(), bounds);
    reporter.publishEntry(Measured.error(observation, "kvmclock while pages are written", bounds));
    assertTrue(
        bounds.allowRounding(-drift, drift),
        () -> observation + ", expected less than %d ns".formatted(drift));
  }

  /** Once KVM_SET_CLOCK has returned, no vCPU reads the old time any more. */
  @Test
  void setClockReachesVcpuThatRuns(TestReporter reporter) {
    equalise(new TscOffset(0)); // the guest's TSC is the host's
    for (int i = 0; i < SETTINGS; i++) {
      VcpuThread vcpu = vcpus.get(i % VCPUS);
      long old = guest.vm().getClock().clock();
      try (WatchedKvmclock watched = WatchedKvmclock.start(guest, vcpu)) {
        TimedCalls calls = new TimedCalls();
        Timed<ClockData> set = calls.setClock(guest.vm(), ClockData.ofClock(old + HOUR));
        calls.make();

        WatchedKvmclock.Reading reading = watched.latest();
        while (reading.notBefore() <= set.hostTsc().to() && watched.isRunning()) {
          reading = watched.latest();
        }
        String observation =
            "vCPU %d read kvmclock %d ns at least %d ticks after KVM_SET_CLOCK to %d ns had returned"
                .formatted(
                    vcpu.index(),
                    reading.nanos(),
                    reading.notBefore() - set.hostTsc().to(),
                    old + HOUR);
        reporter.publishEntry(observation);
        assertTrue(reading.nanos() >= old + HOUR, observation);
      }
    }
  }

  /** kvmclock as a function of the host's TSC, at the guest's rate. */
  private static PvclockPage atHostTsc(ClockData got, PvclockPage page) {
    return new PvclockPage(
        2, got.hostTsc(), got.clock(), page.tscToSystemMul(), page.tscShift(), 0);
  }

  /** Written twice: every vCPU but the last has to be written after they came to differ. */
  private void equalise(TscOffset offset) {
    vcpus.forEach(vcpu -> vcpu.run(owned -> owned.setTscOffset(offset)));
    vcpus.forEach(vcpu -> vcpu.run(owned -> owned.setTscOffset(offset)));
    vcpus.forEach(vcpu -> vcpu.run(guest::run));
  }

  private static TscOffset offset(VcpuThread vcpu) {
    return vcpu.call(Vcpu::getTscOffset);
  }

  private void assertFollows(VcpuThread vcpu, TscOffset offset, TestReporter reporter) {
    assertNoError(
        "TSC of vCPU %d with offset %s against the host's".formatted(vcpu.index(), offset),
        clocks.tscAgainstHost(vcpu, offset.ticks()),
        reporter);
  }

  private static void assertNoError(String clock, ErrorBounds bounds, TestReporter reporter) {
    String observation = clock + ": " + bounds;
    reporter.publishEntry(Measured.error(observation, clock, bounds));
    assertTrue(bounds.allowNone(), observation + ", which leaves out 0");
  }
}
