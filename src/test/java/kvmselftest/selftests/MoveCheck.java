package kvmselftest.selftests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import kvmselftest.kvm.ClockData;
import kvmselftest.kvm.KvmModule;
import kvmselftest.kvm.TscOffset;
import kvmselftest.migration.ClockSnapshot;
import kvmselftest.migration.HostTscRate;
import kvmselftest.migration.RestoredClocks;
import kvmselftest.migration.VcpuClock;
import kvmselftest.probe.Behaviour;
import kvmselftest.x86.CounterWindow;
import kvmselftest.x86.PvclockPage;
import org.junit.jupiter.api.TestReporter;

/**
 * What a guest may expect of a move by the seven steps on one host, where both VMs count the same
 * TSC: the offsets say to the tick how far the guest was set forward or back.
 *
 * @param source as it was when the guest was paused
 * @param arrival as it is where it went
 * @param steering what CLOCK_REALTIME, by which the downtime is measured, was steered meanwhile
 * @param host whose TSC both count
 */
record MoveCheck(
    MovingGuest.Departure source,
    MovingGuest.Arrival arrival,
    Steering steering,
    HostTscRate host) {
  private static final long NANOS_PER_MILLI = 1_000_000;

  /**
   * The kernel's multiplier for CLOCK_REALTIME and CLOCK_MONOTONIC_RAW is exact to a millionth, and
   * so is a rate in whole kHz: together and generously, ticks of an error a tick.
   */
  private static final long RATE_ERROR = 100_000;

  private ClockSnapshot snapshot() {
    return source.snapshot();
  }

  private RestoredClocks restored() {
    return arrival.restored();
  }

  private long khz() {
    return snapshot().vcpus().getFirst().countsAtKhz();
  }

  /** All that holds whatever the offsets. */
  void assertClocksGoOn(TestReporter reporter) {
    assertOffsetsStay();
    assertDifferencesAreKept();
    assertTscGoesOnWithKvmclock();
    assertKvmclockGoesOnWithRealtime(reporter);
    assertTscGoesOnAsIfItHadNeverStopped(reporter);
    assertNothingRunsBackwards();
    assertGuestSeesOffsets();
  }

  private void assertOffsetsStay() {
    assertEquals(given(), arrival.offsets(), "offsets after KVM_RUN, against those written");
  }

  private List<TscOffset> given() {
    return restored().vcpus().stream().map(VcpuClock::offset).toList();
  }

  /** To the tick, where all count at one rate. */
  private void assertDifferencesAreKept() {
    assertEquals(
        differences(snapshot().vcpus().stream().map(VcpuClock::offset).toList()),
        differences(arrival.offsets()),
        "differences of the vCPUs' offsets against vCPU 0's, on the source and on the destination");
  }

  static List<Long> differences(List<TscOffset> offsets) {
    return offsets.stream().map(offset -> offset.ticks() - offsets.getFirst().ticks()).toList();
  }

  /** What step 6 is for: the guest's TSC advances as kvmclock does, less than a tick behind. */
  private void assertTscGoesOnWithKvmclock() {
    for (int i = 0; i < snapshot().vcpus().size(); i++) {
      long advanced =
          restored().vcpus().get(i).guestTsc(arrival.reading().moment().hostTsc())
              - snapshot().guestTsc(i);
      double exact = restored().kvmclockPassed() * (double) khz() / NANOS_PER_MILLI;
      String observation =
          String.format(
              Locale.ROOT,
              "vCPU %d: kvmclock went on by %d ns, which is %.2f ticks, and the TSC by %d",
              i,
              restored().kvmclockPassed(),
              exact,
              advanced);
      assertTrue(Math.abs(exact - advanced) <= 1 + Math.ulp(exact), observation);
    }
  }

  private void assertKvmclockGoesOnWithRealtime(TestReporter reporter) {
    long took = setClockNanos();
    long error = 2 + restored().realtimeError() + steeredSinceSet();
    String observation =
        "kvmclock went on by %d ns, %+d ns more than CLOCK_REALTIME; expected %d to %d, the time of %s"
            .formatted(
                restored().kvmclockPassed(),
                restored().aheadOfRealtime(),
                -error,
                took + error,
                "KVM_SET_CLOCK, and +-%d ns for the readings".formatted(error));
    reporter.publishEntry(observation);
    assertTrue(
        restored().aheadOfRealtime() >= -error && restored().aheadOfRealtime() <= took + error,
        observation);
  }

  /** Of what the clock was steered by, the part between KVM_SET_CLOCK and KVM_GET_CLOCK, ns. */
  private long steeredSinceSet() {
    long t1 = restored().reading().moment().hostTsc();
    double part =
        (double) (t1 - restored().setClock().from())
            / (t1 - snapshot().reading().moment().hostTsc());
    return (long) Math.ceil(Math.abs(steering.nanos()) * part);
  }

  private void assertTscGoesOnAsIfItHadNeverStopped(TestReporter reporter) {
    long elapsed = arrival.reading().moment().hostTsc() - snapshot().reading().moment().hostTsc();
    // Of the time in which the clock was steered a part lies before and after that of the move.
    long steered = ticksOf(steering.nanos());
    long slack =
        2
            + elapsed / RATE_ERROR
            + ticksOf(steering.error() + restored().realtimeError())
            + restored().tscError(0);
    long took = ticksOf(setClockNanos());
    CounterWindow expected =
        new CounterWindow(Math.min(steered, 0) - slack, Math.max(steered, 0) + took + slack);
    for (int i = 0; i < arrival.offsets().size(); i++) {
      long ahead = arrival.offsets().get(i).ticks() - snapshot().vcpus().get(i).offset().ticks();
      String observation =
          "vCPU %d: %d host ticks after the snapshot its TSC is %+d ticks (%+d ns) from where it would be"
                  .formatted(i, elapsed, ahead, nanosOf(ahead))
              + " without the move; expected %+d to %+d, of which KVM_SET_CLOCK took %d, and +-%d"
                  .formatted(expected.from(), expected.to(), took, slack);
      if (i == 0) {
        reporter.publishEntry(observation);
      }
      assertTrue(expected.contains(ahead), observation);
    }
  }

  private void assertNothingRunsBackwards() {
    for (int vcpu = 0; vcpu < arrival.offsets().size(); vcpu++) {
      int index = vcpu;
      List<Sample> all =
          Stream.concat(
                  source.samples().stream().filter(sample -> sample.vcpu() == index),
                  arrival.samplesOf(index))
              .toList();
      for (int i = 1; i < all.size(); i++) {
        Sample before = all.get(i - 1);
        Sample after = all.get(i);
        assertTrue(
            after.guestTsc() - before.guestTsc() > 0 && after.kvmclock() >= before.kvmclock(),
            () -> "ran backwards, from %s to %s".formatted(before, after));
      }
    }
  }

  /** RDTSC in the guest, which is what all of it is about. */
  private void assertGuestSeesOffsets() {
    for (Sample sample : arrival.samples()) {
      CounterWindow expected =
          new CounterWindow(
              guestTsc(sample.vcpu(), sample.hostTsc().from()),
              guestTsc(sample.vcpu(), sample.hostTsc().to()));
      assertTrue(
          expected.contains(sample.guestTsc()),
          () -> "%s: RDTSC expected in %s".formatted(sample, expected));
    }
  }

  /** What holds if the vCPUs had one offset: the master clock was on, and is on again. */
  void assertMasterClockAsBefore() {
    assertTrue(snapshot().hadMasterClock(), () -> "master clock on the source: " + snapshot());
    assertEquals(
        ClockData.flagNames(ClockData.ALL_FLAGS),
        ClockData.flagNames(arrival.clock().flags()),
        "flags of KVM_GET_CLOCK on the destination after KVM_RUN");
  }

  /**
   * kvmclock as a function of the guest's TSC is the same on both: step 6 moves the TSC by as much
   * as step 4 moved kvmclock, less than a tick apart; each of four readings is rounded by less than
   * 2 ns, and 2^-31 of what passed is the multiplier's precision. When the offsets are written, KVM
   * starts kvmclock anew from CLOCK_MONOTONIC_RAW, whose multiplier for the same rate is coarser
   * (kernel/time/clocksource.c): less than a millionth of the time since KVM_SET_CLOCK. A KVM that
   * is built into the kernel has the rate from before it was refined, which pages count at, and
   * KVM_SET_CLOCK does not.
   */
  void assertTscAndKvmclockAgreeAsBefore(TestReporter reporter) {
    long hostTsc = arrival.clock().hostTsc();
    long sinceSet = hostTsc - restored().setClock().from(); // divided by kHz: millionths, ns
    boolean scaled = !restored().vcpus().getFirst().scaling().isNone();
    long tick = NANOS_PER_MILLI / khz() + 1; // 1 ns of a TSC in GHz, 20 ns of an emulator's in MHz
    long most = 5 + tick + (restored().kvmclockPassed() >> 31) + sinceSet / host.khz();
    if (Behaviour.CLOCK_KHZ.is("snapshot") && KvmModule.isBuiltIn()) {
      most +=
          KvmclockVm.drift(restored().kvmclockPassed())
              + KvmclockVm.drift(sinceSet / host.khz() * NANOS_PER_MILLI);
    }
    for (int i = 0; i < arrival.offsets().size(); i++) {
      long guestTsc = guestTsc(i, hostTsc);
      PvclockPage was = source.pages().get(i);
      PvclockPage is = arrival.pages().get(i);
      long difference = is.nanosAt(guestTsc) - was.nanosAt(guestTsc);
      long mostHere = scaled ? most + wholeKhz(was, guestTsc) + wholeKhz(is, guestTsc) : most;
      String observation =
          "vCPU %d at guest TSC %s: kvmclock is %+d ns from what the source's page says"
              .formatted(i, Long.toUnsignedString(guestTsc), difference);
      if (i == 0) {
        reporter.publishEntry(observation);
      }
      assertTrue(
          Math.abs(difference) <= mostHere,
          () -> observation + ", expected at most " + mostHere + " ns");
    }
  }

  /**
   * How far a page may be off at a moment, ns: the rate that comes out of the scaling is kept in
   * whole kHz, rounded down, and a page counts at it from its timestamp on.
   */
  private long wholeKhz(PvclockPage page, long guestTsc) {
    return (page.nanosAt(guestTsc) - page.systemTime()) / khz();
  }

  void publishChart(Duration pause, TestReporter reporter) {
    new MoveChart("seven steps", arrival.offsets().size(), pause, khz())
        .samples(source.samples(), arrival.samples())
        .differences(
            differences(snapshot().vcpus().stream().map(VcpuClock::offset).toList()),
            differences(arrival.offsets()))
        .publish(reporter);
  }

  /** By the offset that is read back. */
  private long guestTsc(int place, long hostTsc) {
    return restored().vcpus().get(place).withOffset(arrival.offsets().get(place)).guestTsc(hostTsc);
  }

  private long setClockNanos() {
    return restored().setClock().width() * NANOS_PER_MILLI / host.khz();
  }

  private long nanosOf(long ticks) {
    return Math.round(ticks * (double) NANOS_PER_MILLI / khz());
  }

  private long ticksOf(long nanos) {
    return nanos * khz() / NANOS_PER_MILLI;
  }
}
