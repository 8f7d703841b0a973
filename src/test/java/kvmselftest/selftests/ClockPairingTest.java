package kvmselftest.selftests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import kvmselftest.Requires;
import kvmselftest.guest.ClockGuest;
import kvmselftest.guest.ClockGuest.HypercallResult;
import kvmselftest.kvm.ClockData;
import kvmselftest.kvm.GuestMemory;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Requirement;
import kvmselftest.kvm.TscOffset;
import kvmselftest.kvm.Vcpu;
import kvmselftest.x86.ClockPairing;
import kvmselftest.x86.CounterWindow;
import kvmselftest.x86.HostTsc;
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
 * KVM_HC_CLOCK_PAIRING, by which a guest synchronizes its wall clock with the host's (ptp_kvm): the
 * guest's side of what KVM_GET_CLOCK gives as realtime and host_tsc. No upstream selftest makes
 * this hypercall.
 */
@Tag("selftest")
@Requires({Requirement.KVM, Requirement.TSC_OFFSET, Requirement.TSC_STABLE})
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ClockPairingTest {
  private static final int PAIRINGS = 20;
  private static final int VCPUS = 3;
  private static final int AROUND = 64;

  /** Not WALL_CLOCK, and none that KVM knows. */
  private static final long OTHER_CLOCK = 1;

  /** What the hypercall returns is negative; both are in uapi/linux/kvm_para.h. */
  private static final long KVM_EFAULT = 14;

  private static final long KVM_EOPNOTSUPP = 95;

  private static final long NANOS_PER_MILLI = 1_000_000;

  private final Kvm kvm = Kvm.open();
  private final ClockGuest guest = ClockGuest.load(kvm);
  private Vcpu vcpu;

  @BeforeAll
  void createVcpu() {
    vcpu = guest.createVcpu(0);
  }

  @AfterAll
  void close() {
    guest.close();
    kvm.close();
  }

  static Stream<Arguments> offsets() {
    return Stream.of(
        argumentSet("offset 0", new TscOffset(0)),
        argumentSet("TSC near 0", new TscOffset(-HostTsc.read())),
        argumentSet("offset +180e9", new TscOffset(180_000_000_000L)));
  }

  /**
   * The pairing's moment is one of the host's TSC, by the offset, between two KVM_GET_CLOCKs, and
   * its wall clock lies on the line through theirs: each of three readings is rounded down to 1 ns,
   * and what NTP changes in the clock's rate meanwhile is taken for 10 ppm at most.
   */
  @ParameterizedTest
  @MethodSource("offsets")
  void pairIsOnTheLineOfRealtimeAndHostTsc(TscOffset offset, TestReporter reporter) {
    vcpu.setTscOffset(offset);
    guest.run(vcpu);
    guest.vm().setClock(ClockData.ofClock(1));
    guest.run(vcpu);
    long khz = vcpu.getTscKhz();
    String observation = "";
    for (int i = 0; i < PAIRINGS; i++) {
      ClockData before = guest.vm().getClock();
      HypercallResult call = guest.pairClocks(vcpu, ClockGuest.SPARE_PAGE, ClockPairing.WALL_CLOCK);
      ClockData after = guest.vm().getClock();
      ClockPairing pair = guest.clockPairingAt(ClockGuest.SPARE_PAGE);

      assertEquals(0, call.value(), () -> "KVM_HC_CLOCK_PAIRING returned, with " + pair);
      KvmclockVm.assertMasterClock(true, "before the pairing", before);
      KvmclockVm.assertMasterClock(true, "after the pairing", after);
      long hostTsc = pair.tsc() - offset.ticks();
      long ticks = after.hostTsc() - before.hostTsc();
      long passed = after.realtime() - before.realtime();
      double expected = (hostTsc - before.hostTsc()) * ((double) passed / ticks);
      long error = pair.realtime() - before.realtime() - Math.round(expected);
      long most = 3 + ticks * NANOS_PER_MILLI / khz / 100_000;
      observation =
          "%s: %s, offset %s: %+d ns from the line from %s to %s, expected at most %d"
              .formatted(vcpu, pair, offset, error, before, after, most);
      assertTrue(
          new CounterWindow(before.hostTsc(), after.hostTsc()).contains(hostTsc)
              && call.guestTsc().contains(pair.tsc()),
          observation + "; the guest's TSC around the call: " + call.guestTsc());
      assertTrue(Math.abs(error) <= most, observation);
    }
    reporter.publishEntry(observation);
  }

  /** With offsets of their own, which leave the host's wall clock as it is. */
  @Test
  void pairHasTheTscOfTheVcpuThatAsks() {
    try (ClockGuest other = ClockGuest.load(kvm)) {
      List<Vcpu> vcpus = IntStream.range(0, VCPUS).mapToObj(other::createVcpu).toList();
      vcpus.forEach(each -> each.setTscOffset(new TscOffset(-7_000_000_000_000L * each.index())));
      for (Vcpu asking : vcpus) {
        HypercallResult call =
            other.pairClocks(asking, ClockGuest.SPARE_PAGE, ClockPairing.WALL_CLOCK);

        ClockPairing pair = other.clockPairingAt(ClockGuest.SPARE_PAGE);
        assertEquals(
            0, call.value(), () -> asking + ": KVM_HC_CLOCK_PAIRING returned, with " + pair);
        assertTrue(
            call.guestTsc().contains(pair.tsc()),
            () -> "%s: %s, its TSC around the call: %s".formatted(asking, pair, call.guestTsc()));
      }
    }
  }

  @Test
  void nothingButTheStructureIsWrittenAndItsSpareBytesAreZero() {
    GuestMemory memory = guest.vm().memory();
    long gpa = ClockGuest.SPARE_PAGE + AROUND;
    byte[] ones = ones();
    memory.write(ClockGuest.SPARE_PAGE, ones);

    HypercallResult call = guest.pairClocks(vcpu, gpa, ClockPairing.WALL_CLOCK);

    ClockPairing pair = guest.clockPairingAt(gpa);
    assertEquals(0, call.value(), () -> "KVM_HC_CLOCK_PAIRING returned, with " + pair);
    assertTrue(
        pair.flags() == 0 && pair.padded() && pair.nanos() >= 0 && pair.nanos() < 1_000_000_000,
        () -> "flags and padding are to be 0, nanoseconds less than a second: " + pair);
    byte[] written = memory.read(ClockGuest.SPARE_PAGE, ones.length);
    Arrays.fill(written, AROUND, AROUND + ClockPairing.SIZE, (byte) 0xff);
    assertArrayEquals(ones, written, "memory around the structure");
  }

  @Test
  void clockThatThereIsNotIsRefused() {
    assertRefused(ClockGuest.SPARE_PAGE + AROUND, OTHER_CLOCK, KVM_EOPNOTSUPP);
  }

  @Test
  void addressWithoutMemoryIsRefused() {
    long size = guest.vm().memory().segment().byteSize();
    assertRefused(size, ClockPairing.WALL_CLOCK, KVM_EFAULT);
  }

  private void assertRefused(long gpa, long clock, long error) {
    GuestMemory memory = guest.vm().memory();
    byte[] ones = ones();
    memory.write(ClockGuest.SPARE_PAGE, ones);

    HypercallResult call = guest.pairClocks(vcpu, gpa, clock);

    assertEquals(
        -error,
        call.value(),
        () -> "KVM_HC_CLOCK_PAIRING at GPA 0x%x of clock %d".formatted(gpa, clock));
    assertArrayEquals(
        ones,
        memory.read(ClockGuest.SPARE_PAGE, ones.length),
        "memory after the hypercall was refused");
  }

  /** The structure, and as much before and behind it. */
  private static byte[] ones() {
    byte[] ones = new byte[AROUND + ClockPairing.SIZE + AROUND];
    Arrays.fill(ones, (byte) 0xff);
    return ones;
  }
}
