package kvmselftest.selftests;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import kvmselftest.Requires;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.OtherClocksource;
import kvmselftest.kvm.Requirement;
import kvmselftest.kvm.TscOffset;
import kvmselftest.x86.ErrorBounds;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;

/**
 * The host leaves the TSC as its clocksource while guests run, as it does when its watchdog finds
 * the TSC unstable, and takes it again: the master clock goes off and can come back, and kvmclock
 * goes on through both. As root, for a moment, the whole machine is on another clocksource.
 *
 * <p>No upstream test does so with a guest.
 */
@Tag("selftest")
@Tag("thorough")
@Requires({
  Requirement.KVM,
  Requirement.TSC_OFFSET,
  Requirement.CLOCK_REALTIME,
  Requirement.TSC_CLOCKSOURCE,
  Requirement.OTHER_CLOCKSOURCE
})
class ClocksourceSwitchTest {
  private static final int VCPUS = 3;
  private static final TscOffset EQUAL = new TscOffset(1_000_000_000_000L);
  private static final Duration PATIENCE = Duration.ofSeconds(2);

  /**
   * By what part two clocksources may come apart, 0.1 %: the other's rate is what the kernel took
   * it for at boot, or read from a table.
   */
  private static final long APART = 1_000;

  /** Of a reading of the other clocksource: ACPI's counts in 279 ns, and has to be asked for. */
  private static final long COARSE_NANOS = 20_000;

  @Test
  void masterClockGoesOffAndComesBackWhileKvmclockGoesOn(TestReporter reporter) {
    try (Kvm kvm = Kvm.open();
        KvmclockVm clocks = new KvmclockVm(kvm, VCPUS)) {
      clocks.settleOffsets(EQUAL, 0);
      clocks.setClock(Duration.ofHours(1).toNanos());
      clocks.runAll();
      String own = OtherClocksource.current();
      assertMasterClock(clocks, true, "on " + own);
      KvmclockVm.Position first = clocks.position();
      KvmclockVm.Position off;

      try (var _ = OtherClocksource.select()) {
        String other = OtherClocksource.current();
        awaitMasterClockOff(clocks);
        clocks.runAll();
        assertMasterClock(clocks, false, "on " + other);
        clocks.settleOffsets(EQUAL, 1);
        assertMasterClock(clocks, false, "on " + other + ", with equal offsets written again");
        off = clocks.position();
        assertGoesOn("from " + own + " to " + other, first, off, reporter);
      }

      clocks.settleOffsets(EQUAL, 2);
      assertMasterClock(clocks, true, "on " + own + " again, with equal offsets written");
      clocks.assertPagesGive(clocks.vm().getClock(), "on " + own + " again");
      assertGoesOn("back to " + own, off, clocks.position(), reporter);
    }
  }

  /** KVM is told of it by the timekeeper, and tells its vCPUs by a worker. */
  private static void awaitMasterClockOff(KvmclockVm clocks) {
    long end = System.nanoTime() + PATIENCE.toNanos();
    do {
      clocks.runAll();
    } while (clocks.vm().getClock().flags() != 0 && System.nanoTime() - end < 0);
  }

  private static void assertMasterClock(KvmclockVm clocks, boolean on, String when) {
    KvmclockVm.assertMasterClock(on, when, clocks.vm().getClock());
    clocks.assertStableBit(on, when);
  }

  /** By CLOCK_MONOTONIC_RAW, which goes over from one to the other as well. */
  private static void assertGoesOn(
      String step, KvmclockVm.Position before, KvmclockVm.Position after, TestReporter reporter) {
    ErrorBounds jump = new ErrorBounds("ns");
    jump.add(
        after.aheadOfRaw().least() - before.aheadOfRaw().most(),
        after.aheadOfRaw().most() - before.aheadOfRaw().least());
    long most = COARSE_NANOS + (after.raw() - before.raw()) / APART;
    String observation =
        "%s: kvmclock's jump %s, expected at most %d ns".formatted(step, jump, most);
    reporter.publishEntry(observation);
    assertTrue(jump.least() <= most && jump.most() >= -most, observation);
  }
}
