package kvmselftest.selftests;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import kvmselftest.Requires;
import kvmselftest.guest.ClockGuest;
import kvmselftest.kvm.ClockData;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Requirement;
import kvmselftest.kvm.TimedCalls;
import kvmselftest.kvm.TimedCalls.Timed;
import kvmselftest.kvm.TscOffset;
import kvmselftest.kvm.Vcpu;
import kvmselftest.x86.CounterWindow;
import kvmselftest.x86.PvclockPage;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The seven steps that move a guest's clocks from one VM to another (Documentation/virt/kvm/
 * devices/vcpu.rst, section 4.1), on one host and with a guest that runs at the host's TSC rate: as
 * the destination counts the same TSC, the offsets that come out say to the tick how far the guest
 * was set forward or back.
 */
@Tag("selftest")
@Requires({
  Requirement.KVM,
  Requirement.TSC_OFFSET,
  Requirement.CLOCK_REALTIME,
  Requirement.TSC_CLOCKSOURCE
})
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class MigrationRecipeTest {
  /**
   * NTP may steer CLOCK_REALTIME, by which the pause is measured, by 500 ppm, and the TSC's nominal
   * rate may be off by as much.
   */
  private static final long STEERING = 1000;

  private final Kvm kvm = Kvm.open();

  @AfterAll
  void close() {
    kvm.close();
  }

  static Stream<Arguments> moves() {
    return Stream.of(
        argumentSet("1 vCPU, no pause", 1, Duration.ZERO),
        argumentSet("2 vCPUs, pause of 20 ms", 2, Duration.ofMillis(20)),
        argumentSet("4 vCPUs, no pause", 4, Duration.ZERO));
  }

  /** A guest's VM with its vCPUs, all of which have run and have kvmclock. */
  private record Machine(ClockGuest guest, List<Vcpu> vcpus) {
    static Machine create(Kvm kvm, int vcpus) {
      ClockGuest guest = ClockGuest.load(kvm);
      return new Machine(guest, IntStream.range(0, vcpus).mapToObj(guest::createVcpu).toList());
    }

    void enableKvmclock() {
      vcpus.forEach(guest::enableKvmclock);
      vcpus.forEach(guest::run); // the first ones ran before all had the same
    }

    ClockData clockWithHostTsc(String when) {
      ClockData got = guest.vm().getClock();
      assertEquals(
          ClockData.flagNames(ClockData.ALL_FLAGS),
          ClockData.flagNames(got.flags()),
          "flags of KVM_GET_CLOCK " + when);
      return got;
    }
  }

  @ParameterizedTest
  @MethodSource("moves")
  void guestsClocksGoOnAsIfItHadNeverStopped(int vcpus, Duration pause, TestReporter reporter)
      throws InterruptedException {
    Machine source = Machine.create(kvm, vcpus);
    Machine destination = Machine.create(kvm, vcpus);
    try (ClockGuest _ = source.guest;
        ClockGuest _ = destination.guest) {
      TscOffset before = new TscOffset(-1_000_000_000_000L);
      source.vcpus.forEach(vcpu -> vcpu.setTscOffset(before));
      source.enableKvmclock();

      // On the source: steps 1 to 3.
      ClockData from = source.clockWithHostTsc("on the source");
      List<TscOffset> offsets = source.vcpus.stream().map(Vcpu::getTscOffset).toList();
      long khz = source.vcpus.getFirst().getTscKhz();

      Thread.sleep(pause);

      // On the destination: steps 4 to 7.
      TimedCalls calls = new TimedCalls();
      Timed<ClockData> set =
          calls.setClock(
              destination.guest.vm(), ClockData.ofClock(from.clock()).atRealtime(from.realtime()));
      calls.make();
      ClockData to = destination.clockWithHostTsc("on the destination after KVM_SET_CLOCK");
      long passed = to.clock() - from.clock();
      List<TscOffset> newOffsets =
          offsets.stream()
              .map(
                  offset ->
                      new TscOffset(
                          from.hostTsc()
                              + offset.ticks()
                              + passed * khz / 1_000_000
                              - to.hostTsc()))
              .toList();
      destination.vcpus.forEach(vcpu -> vcpu.setTscOffset(newOffsets.get(vcpu.index())));
      destination.enableKvmclock();

      ClockData after = destination.clockWithHostTsc("on the destination after KVM_RUN");
      long ahead = newOffsets.getFirst().ticks() - before.ticks();
      long slack = 2 + (to.hostTsc() - from.hostTsc()) / STEERING;
      CounterWindow expected = new CounterWindow(-slack, set.hostTsc().width() + slack);
      String observation =
          "%d vCPUs, %d ns of kvmclock after the snapshot: guest TSC is %+d ticks from where it"
                  .formatted(vcpus, passed, ahead)
              + " would be without the move, expected "
              + expected;
      reporter.publishEntry(observation);
      assertAll(
          () -> assertTrue(expected.contains(ahead), observation),
          () ->
              assertEquals(
                  newOffsets,
                  destination.vcpus.stream().map(Vcpu::getTscOffset).toList(),
                  "offsets after KVM_RUN"),
          () ->
              assertSameKvmclock(
                  source,
                  destination,
                  after.hostTsc(),
                  passed,
                  after.hostTsc() - set.hostTsc().from(),
                  reporter));
    }
  }

  private static int vcpuKhz(Machine machine) {
    return machine.vcpus.getFirst().getTscKhz();
  }

  /**
   * kvmclock as a function of the guest's TSC is the same on both: step 6 moves the TSC by as much
   * as step 4 moved kvmclock, less than a tick apart; each of four readings is rounded by less than
   * 2 ns, and 2^-31 of what passed is the multiplier's precision. When the offsets are written, KVM
   * starts kvmclock anew from CLOCK_MONOTONIC_RAW, whose multiplier for the same rate is coarser
   * (kernel/time/clocksource.c): less than a millionth of the time since KVM_SET_CLOCK.
   *
   * @param passed kvmclock from the snapshot on, ns
   * @param sinceSet host TSC from KVM_SET_CLOCK on, ticks; divided by kHz it is ns of a millionth
   */
  private static void assertSameKvmclock(
      Machine source,
      Machine destination,
      long hostTsc,
      long passed,
      long sinceSet,
      TestReporter reporter) {
    long most = 6 + (passed >> 31) + sinceSet / vcpuKhz(destination);
    for (Vcpu vcpu : destination.vcpus) {
      PvclockPage was = source.guest.pvclockPage(source.vcpus.get(vcpu.index()));
      PvclockPage is = destination.guest.pvclockPage(vcpu);
      long guestTsc = vcpu.getTscOffset().guestTsc(hostTsc);
      long difference = is.nanosAt(guestTsc) - was.nanosAt(guestTsc);
      String observation =
          "%s at guest TSC %d: kvmclock is %+d ns from what the source's page says"
              .formatted(vcpu, guestTsc, difference);
      reporter.publishEntry(observation);
      assertTrue(
          Math.abs(difference) <= most, () -> observation + ", expected at most " + most + " ns");
    }
  }
}
