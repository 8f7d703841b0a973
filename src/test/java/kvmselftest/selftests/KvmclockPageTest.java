package kvmselftest.selftests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import kvmselftest.Requires;
import kvmselftest.guest.ClockGuest;
import kvmselftest.guest.Guest;
import kvmselftest.guest.WatchedPvclockPage;
import kvmselftest.kvm.ClockData;
import kvmselftest.kvm.GuestMemory;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Requirement;
import kvmselftest.kvm.TimedCalls;
import kvmselftest.kvm.TscOffset;
import kvmselftest.kvm.Vcpu;
import kvmselftest.probe.Behaviour;
import kvmselftest.x86.CounterWindow;
import kvmselftest.x86.HostTsc;
import kvmselftest.x86.Msr;
import kvmselftest.x86.PvclockPage;
import kvmselftest.x86.PvclockScale;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What KVM writes into the pvclock pages of four vCPUs with the master clock on
 * (Documentation/virt/kvm/x86/msr.rst, MSR_KVM_SYSTEM_TIME_NEW), to the bit: there every number
 * follows from what was set and from one snapshot of the host's clocks, which KVM_GET_CLOCK shows.
 * Upstream has no test of it.
 */
@Tag("selftest")
@Requires({
  Requirement.KVM,
  Requirement.TSC_OFFSET,
  Requirement.CLOCK_REALTIME,
  Requirement.TSC_CLOCKSOURCE
})
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class KvmclockPageTest {
  private static final int VCPUS = 4;

  /** An age that no 32 bits hold, ticks. */
  private static final long OLD = (1L << 32) + 1_000_000;

  private static final int SAMPLES = 200;

  /** How many updates are seen while KVM makes them, if the machine is not too busy. */
  private static final int ENOUGH_CHANGES = 500;

  private static final int SOME_CHANGES = 20;
  private static final int MOST_UPDATES = 2_500;

  /** By far later than KVM updates all pages when it has to, ns: that is 0.1 s. */
  private static final long SOON = 2_000_000_000;

  /** With an address above 4 GiB; no page there is enabled. */
  private static final long HIGH = 0x1_2345_6780L;

  private static final long ENABLED = 1;
  private static final int PAGE_SIZE = 4096;

  /** The bytes of the structure that mean nothing. */
  private static final List<Integer> PADDING = List.of(4, 5, 6, 7, 30, 31);

  /** Guest memory that nothing else uses. */
  private static final long SPARE = 0x38_0000;

  private static final long MEMORY_END = 0x40_0000;

  /** Version and timestamp are in one cache line, the rest of the structure in the next. */
  private static final long ACROSS_LINES = SPARE + 0x1030;

  /** More than 32 bits. */
  private static final TscOffset OFFSET = new TscOffset(0x1234_5678_9abcL);

  private final Kvm kvm = Kvm.open();
  private final KvmclockVm clocks = new KvmclockVm(kvm, VCPUS);
  private final ClockGuest guest = clocks.guest();

  /** Runs at the beginning and is then left alone until its snapshot is old. */
  private final KvmclockVm aged = new KvmclockVm(kvm, 2);

  private final long agedSince = HostTsc.read();

  @AfterAll
  void close() {
    aged.close();
    clocks.close();
    kvm.close();
  }

  static Stream<Arguments> offsets() {
    return Stream.of(
        argumentSet("offset 0", new TscOffset(0)),
        argumentSet("offset +2e13", OFFSET),
        argumentSet("offset -2e13", new TscOffset(-OFFSET.ticks())));
  }

  @ParameterizedTest
  @MethodSource("offsets")
  void pageIsGetClockToTheNanosecond(TscOffset offset, TestReporter reporter)
      throws InterruptedException {
    clocks.settleOffsets(offset, 0);
    clocks.setClock(Duration.ofMinutes(3).toNanos());
    clocks.runAll();
    List<PvclockPage> pages = clocks.pages();
    Thread.sleep(10); // so that a rate that is wrong by 1 kHz makes some nanoseconds

    List<TimedCalls.Timed<ClockData>> samples = getClocks();

    ClockData last = samples.getFirst().value();
    for (TimedCalls.Timed<ClockData> sample : samples) {
      ClockData got = sample.value();
      assertTrue(
          sample.hostTsc().contains(got.hostTsc()),
          () -> "host_tsc of %s, host TSC around it: %s".formatted(got, sample.hostTsc()));
      assertTrue(
          Long.compareUnsigned(got.clock(), last.clock()) >= 0,
          "KVM_GET_CLOCK went back from %s to %s".formatted(last, got));
      KvmclockVm.assertMasterClock(true, "with equal offsets", got);
      for (int i = 0; i < VCPUS; i++) {
        KvmclockVm.assertPageGives(got, pages.get(i), offset, "vCPU " + i);
      }
      last = got;
    }
    reporter.publishEntry(
        "0 ns between KVM_GET_CLOCK and the pages of %d vCPUs, %d samples, to %d ns after the snapshot"
            .formatted(VCPUS, SAMPLES, last.clock() - pages.getFirst().systemTime()));
  }

  /** The ticks since the snapshot have more than 32 bits, which takes a second or two. */
  @Test
  @Order(Integer.MAX_VALUE - 2) // the other tests' time passes for this one too
  void pageIsGetClockWhenTheSnapshotIsOld(TestReporter reporter) throws InterruptedException {
    awaitAge();
    Vcpu vcpu = aged.vcpu(1);
    TscOffset offset = vcpu.getTscOffset();
    PvclockPage page = aged.page(vcpu);

    ClockData got = aged.vm().getClock();

    reporter.publishEntry(
        "%s, %d ticks after the snapshot"
            .formatted(got, offset.guestTsc(got.hostTsc()) - page.tscTimestamp()));
    KvmclockVm.assertMasterClock(true, "left alone since it ran", got);
    KvmclockVm.assertPageGives(got, page, offset, "vCPU 1");
  }

  /**
   * As one vCPU enables kvmclock, all others' pages are to be written again within a fraction of a
   * second (kvm_gen_kvmclock_update() in arch/x86/kvm/x86.c), lest their clocks go apart. Nothing
   * else asks for that in a VM that was left alone.
   */
  @Test
  @Order(Integer.MAX_VALUE - 1)
  void everyPageIsWrittenAgainSoonAfterOneWasEnabled(TestReporter reporter)
      throws InterruptedException {
    awaitAge();
    Vcpu enabling = aged.vcpu(0);
    Vcpu other = aged.vcpu(1);
    PvclockPage before = aged.page(other);
    long begin = System.nanoTime();

    aged.guest().enableKvmclock(enabling);

    long took;
    do {
      Thread.sleep(10);
      took = System.nanoTime() - begin;
      aged.guest().run(other);
    } while (aged.page(other).version() == before.version() && took < SOON);
    String observation =
        "kvmclock was enabled on %s; page of %s after %d ms: %s became %s"
            .formatted(
                enabling, other, Duration.ofNanos(took).toMillis(), before, aged.page(other));
    reporter.publishEntry(observation);
    assertVersionGrew(before.version(), aged.page(other).version(), observation);
  }

  /** Whatever the others' TSC is by now: a vCPU's beginning is synchronised after any time. */
  @Test
  @Order(Integer.MAX_VALUE)
  void vcpuThatIsAddedAfterSecondsHasTheOthersTsc() throws InterruptedException {
    awaitAge();
    Vcpu added = aged.createVcpu();
    aged.guest().enableKvmclock(added);
    aged.runAll();
    aged.runAll(); // KVM may have taken a new snapshot, which those have that run again

    String when =
        "after %s was added to vCPUs that are at least %d ticks old".formatted(added, OLD);
    for (Vcpu vcpu : aged.vcpus()) {
      assertEquals(
          aged.vcpu(0).getTscOffset(),
          vcpu.getTscOffset(),
          () -> "offsets of %s and %s %s".formatted(aged.vcpu(0), vcpu, when));
    }
    ClockData got = aged.vm().getClock();
    KvmclockVm.assertMasterClock(true, when, got);
    aged.assertPagesGive(got, when);
  }

  private void awaitAge() throws InterruptedException {
    long age = HostTsc.read() - agedSince;
    Thread.sleep(Math.max(0, OLD - age) / aged.vcpu(0).getTscKhz() + 1);
  }

  private List<TimedCalls.Timed<ClockData>> getClocks() {
    TimedCalls calls = new TimedCalls();
    List<TimedCalls.Timed<ClockData>> samples = new ArrayList<>();
    for (int i = 0; i < SAMPLES; i++) {
      samples.add(calls.getClock(clocks.vm()));
    }
    calls.make();
    return samples;
  }

  @ParameterizedTest
  @MethodSource("offsets")
  void guestComputesWhatTheHostDoes(TscOffset offset) {
    clocks.settleOffsets(offset, 1);
    clocks.setClock(Duration.ofDays(1).toNanos());

    for (Vcpu vcpu : clocks.vcpus()) {
      ClockData before = clocks.vm().getClock();
      ClockGuest.KvmclockReading reading = guest.readKvmclock(vcpu);
      ClockData after = clocks.vm().getClock();

      PvclockPage page = clocks.page(vcpu);
      assertEquals(
          page.nanosAt(reading.guestTsc()),
          reading.nanos(),
          () -> "%s: %s by the page %s".formatted(vcpu, reading, page));
      assertEquals(PvclockPage.TSC_STABLE, reading.flags(), () -> vcpu + ": flags of " + reading);
      assertTrue(
          new CounterWindow(before.clock(), after.clock()).contains(reading.nanos()),
          () ->
              "%s: %s, KVM_GET_CLOCK before: %s, after: %s"
                  .formatted(vcpu, reading, before, after));
    }
  }

  /** That moves the TSC under the page without counting as a write of the TSC. */
  @ParameterizedTest
  @ValueSource(longs = {4_000_000_000_000L, -4_000_000_000_000L})
  void pageFollowsGuestsWriteOfTscAdjust(long ticks) {
    clocks.settleOffsets(OFFSET, 0);
    for (Vcpu vcpu : clocks.vcpus()) {
      long adjust = vcpu.getMsr(Msr.IA32_TSC_ADJUST);
      for (long written : new long[] {adjust + ticks, adjust}) {
        guest.writeMsr(vcpu, Msr.IA32_TSC_ADJUST, written);
        ClockData got = clocks.vm().getClock();

        String when = "after the guest wrote IA32_TSC_ADJUST of %+d".formatted(written);
        KvmclockVm.assertMasterClock(true, when, got);
        clocks.assertPagesGive(got, when);
      }
    }
  }

  /**
   * As where a VMM adds memory or logs what is written: KVM looks its mapping of the page up anew.
   */
  @Test
  void pageIsStillWrittenWhenTheMemslotWasReplaced() {
    clocks.settleOffsets(OFFSET, 1);
    for (long clock : new long[] {1L << 39, 1L << 38}) {
      clocks.vm().replaceMemslot();
      clocks.setClock(clock);
      clocks.runAll();
      for (Vcpu vcpu : clocks.vcpus()) {
        assertEquals(
            clock,
            clocks.page(vcpu).systemTime(),
            () ->
                "%s: system_time after the memslot was replaced and KVM_SET_CLOCK: %s"
                    .formatted(vcpu, clocks.page(vcpu)));
      }
      clocks.assertPagesGive(clocks.vm().getClock(), "after the memslot was replaced");
    }
  }

  static Stream<Arguments> clocks() {
    return Stream.of(
        clock("10 years", Duration.ofDays(3650).toNanos()),
        clock("2^62 ns", 1L << 62),
        clock("180 s", Duration.ofMinutes(3).toNanos()),
        clock("0", 0),
        clock("1 ns", 1),
        clock("2^32 ns", 1L << 32),
        clock("2^32 - 1 ns", (1L << 32) - 1));
  }

  private static Arguments clock(String name, long nanos) {
    return argumentSet(name, nanos);
  }

  /** To larger and to smaller values than before, as the cases come. */
  @ParameterizedTest
  @MethodSource("clocks")
  void setClockIsWhereEveryPageStarts(long clock, TestReporter reporter) {
    clocks.settleOffsets(OFFSET, 2);
    List<PvclockPage> before = clocks.pages();

    CounterWindow set = clocks.setClock(clock);
    clocks.runAll();

    for (Vcpu vcpu : clocks.vcpus()) {
      PvclockPage old = before.get(vcpu.index());
      PvclockPage page = clocks.page(vcpu);
      String observation =
          "%s: KVM_SET_CLOCK to %d ns at host TSC %s, offset %s: %s became %s"
              .formatted(vcpu, clock, set, OFFSET, old, page);
      assertEquals(clock, page.systemTime(), observation);
      assertTrue(
          set.contains(page.tscTimestamp() - OFFSET.ticks()),
          () -> "the snapshot is not of the time of KVM_SET_CLOCK: " + observation);
      assertEquals(
          clocks.page(clocks.vcpu(0)).tscTimestamp(),
          page.tscTimestamp(),
          () -> "not vCPU 0's tsc_timestamp: " + observation);
      assertVersionGrew(old.version(), page.version(), observation);
    }
    reporter.publishEntry(
        "KVM_SET_CLOCK to %d ns at host TSC %s: %s"
            .formatted(clock, set, clocks.page(clocks.vcpu(0))));
    clocks.assertStableBit(true, "after KVM_SET_CLOCK");
    clocks.assertPagesGive(clocks.vm().getClock(), "after KVM_SET_CLOCK");
  }

  /** Versions wrap, so that a difference tells, not an order. */
  private static void assertVersionGrew(int before, int after, String observation) {
    assertTrue(
        (after & 1) == 0 && after - before > 0,
        () -> "the version is to be even and to grow: " + observation);
  }

  @Test
  void scaleIsThatOfTheTscsRate(TestReporter reporter) {
    clocks.setClock(0);
    clocks.runAll();

    for (Vcpu vcpu : clocks.vcpus()) {
      PvclockScale scale = clocks.page(vcpu).scale();
      PvclockScale expected = PvclockScale.ofKhz(vcpu.getTscKhz());
      if (Behaviour.CLOCK_KHZ.is("snapshot")) { // whose rate only the pages show, all the same
        expected = PvclockScale.ofKhz(clocks.page(clocks.vcpu(0)).scale().khz());
      }
      reporter.publishEntry("%s: %s, %d kHz".formatted(vcpu, scale, vcpu.getTscKhz()));
      assertEquals(
          expected,
          scale,
          () ->
              "%s: the page's scale, with a TSC of %d kHz (%s %s)"
                  .formatted(
                      vcpu,
                      vcpu.getTscKhz(),
                      Behaviour.CLOCK_KHZ.key(),
                      Behaviour.CLOCK_KHZ.seen()));
    }
  }

  static Stream<Arguments> places() {
    return Stream.of(
        argumentSet("at the start of a page", SPARE),
        argumentSet("amid a page", SPARE + 0x1128),
        argumentSet("across two cache lines", SPARE + 0x2070),
        argumentSet("at no multiple of 8", SPARE + 0x3124),
        argumentSet("at the end of the memory", MEMORY_END - PvclockPage.SIZE));
  }

  /** What is there before is all ones, but for the version, which is odd. */
  @ParameterizedTest
  @MethodSource("places")
  void pageIsWrittenWhereTheMsrSaysAndNowhereElse(long gpa) {
    Vcpu vcpu = clocks.vcpu((int) (gpa >> 12) % VCPUS);
    GuestMemory memory = clocks.vm().memory();
    byte[] ones = new byte[(int) (MEMORY_END - SPARE)];
    Arrays.fill(ones, (byte) 0xff);
    memory.write(SPARE, ones);
    memory.write(gpa, new byte[] {0x01, 0x10, 0, 0});

    guest.enableKvmclock(vcpu, gpa);
    PvclockPage page = guest.pvclockPageAt(gpa);
    CounterWindow set = clocks.setClock(1L << 40);
    guest.run(vcpu);
    PvclockPage updated = guest.pvclockPageAt(gpa);
    ClockData got = clocks.vm().getClock();
    ClockGuest.KvmclockReading reading = guest.readKvmclock(vcpu, gpa);
    byte[] written = memory.read(SPARE, ones.length);
    guest.enableKvmclock(vcpu); // back to where the other tests expect it

    String observation =
        "%s: page at GPA 0x%x over version 0x1001 and ones: %s, after KVM_SET_CLOCK to 2^40 ns: %s"
            .formatted(vcpu, gpa, page, updated);
    int start = (int) (gpa - SPARE);
    assertVersionGrew(0x1001, page.version(), observation);
    assertVersionGrew(page.version(), updated.version(), observation);
    assertEquals(1L << 40, updated.systemTime(), observation);
    assertTrue(
        set.contains(updated.tscTimestamp() - vcpu.getTscOffset().ticks()),
        () -> "host TSC of KVM_SET_CLOCK: %s; %s".formatted(set, observation));
    KvmclockVm.assertPageGives(got, updated, vcpu.getTscOffset(), vcpu + ", elsewhere");
    assertEquals(
        updated.nanosAt(reading.guestTsc()), reading.nanos(), () -> reading + ": " + observation);
    // PVCLOCK_GUEST_STOPPED is the guest's to clear: KVM leaves it set. The other bits are KVM's.
    assertEquals(
        PvclockPage.TSC_STABLE | PvclockPage.GUEST_STOPPED,
        updated.flags(),
        () -> "flags: " + observation);
    for (int pad : PADDING) {
      assertEquals(0, written[start + pad], () -> "padding at %d: %s".formatted(pad, observation));
    }
    Arrays.fill(written, start, start + PvclockPage.SIZE, (byte) 0xff);
    assertArrayEquals(ones, written, () -> "memory around the structure: " + observation);
  }

  /**
   * Linux's vDSO reads one vCPU's page on all CPUs, so also while KVM writes it, and goes by the
   * version. What it takes for whole is a page that KVM left when it had written it.
   *
   * <p>The page lies across two cache lines: in one alone, all that a CPU writes shows to the
   * others at almost the same time, and a version that comes too early or too late is hardly ever
   * seen.
   */
  @ParameterizedTest
  @ValueSource(ints = {0, VCPUS - 1})
  @Requires(Requirement.PARALLEL_CPUS)
  void pageReadWhileItIsWrittenIsOneThatWasWritten(int index, TestReporter reporter) {
    clocks.settleOffsets(OFFSET, 3);
    Vcpu vcpu = clocks.vcpu(index);
    guest.enableKvmclock(vcpu, ACROSS_LINES);
    Map<Integer, PvclockPage> left = new HashMap<>();
    List<PvclockPage> read;
    try (WatchedPvclockPage watched =
        WatchedPvclockPage.start(guest, ACROSS_LINES, 2 * MOST_UPDATES)) {
      for (int i = 0; i < MOST_UPDATES && watched.changes() < ENOUGH_CHANGES; i++) {
        PvclockPage page = guest.pvclockPageAt(ACROSS_LINES);
        left.put(page.version(), page);
        clocks.vm().setClock(ClockData.ofClock(((i & 1L) << 62) + i));
        guest.run(vcpu);
      }
      read = watched.stop();
    }
    PvclockPage last = guest.pvclockPageAt(ACROSS_LINES);
    left.put(last.version(), last);
    guest.enableKvmclock(vcpu); // back to where the other tests expect it

    Set<PvclockPage> contents = new HashSet<>();
    left.values().forEach(page -> contents.add(page.withVersion(0)));
    for (PvclockPage page : read) {
      // KVM may write the same again, within one KVM_RUN.
      PvclockPage expected = left.getOrDefault(page.version(), page);
      assertTrue(
          expected.equals(page) && contents.contains(page.withVersion(0)),
          () ->
              "%s: read by the version while KVM_SET_CLOCK and KVM_RUN made KVM write it: %s; of that version KVM left %s"
                  .formatted(vcpu, page, left.get(page.version())));
    }
    reporter.publishEntry(
        "%s: %d updates, of which %d were read".formatted(vcpu, left.size() - 1, read.size()));
    assertTrue(
        read.size() >= SOME_CHANGES,
        () ->
            "no verdict: this machine is too busy to read the page while it is written: %d of %d updates"
                .formatted(read.size(), left.size() - 1));
  }

  /** Ways to make KVM leave a vCPU's page alone. */
  enum Leaving {
    GUEST_DISABLES("the guest disables it") {
      @Override
      void leave(ClockGuest guest, Vcpu vcpu, long gpa) {
        guest.writeMsr(vcpu, Msr.KVM_SYSTEM_TIME_NEW, gpa);
      }
    },
    GUEST_WRITES_ZERO("the guest writes 0") {
      @Override
      void leave(ClockGuest guest, Vcpu vcpu, long gpa) {
        guest.writeMsr(vcpu, Msr.KVM_SYSTEM_TIME_NEW, 0);
      }
    },
    HOST_DISABLES("the host disables it") {
      @Override
      void leave(ClockGuest guest, Vcpu vcpu, long gpa) {
        vcpu.setMsr(Msr.KVM_SYSTEM_TIME_NEW, gpa);
      }
    },
    HOST_DISABLES_BY_OLD_INDEX("the host disables it by the old index") {
      @Override
      void leave(ClockGuest guest, Vcpu vcpu, long gpa) {
        vcpu.setMsr(Msr.KVM_SYSTEM_TIME, gpa);
      }
    },
    GUEST_MOVES("the guest moves it") {
      @Override
      void leave(ClockGuest guest, Vcpu vcpu, long gpa) {
        guest.enableKvmclock(vcpu, SPARE);
      }
    },
    HOST_MOVES("the host moves it by the old index") {
      @Override
      void leave(ClockGuest guest, Vcpu vcpu, long gpa) {
        vcpu.setMsr(Msr.KVM_SYSTEM_TIME, SPARE | ENABLED);
      }
    };

    private final String words;

    Leaving(String words) {
      this.words = words;
    }

    abstract void leave(ClockGuest guest, Vcpu vcpu, long gpa);

    @Override
    public String toString() {
      return words;
    }
  }

  @ParameterizedTest
  @EnumSource
  void pageThatWasLeftIsWrittenNoMoreUntilItIsEnabledAgain(Leaving leaving) {
    for (Vcpu vcpu : clocks.vcpus()) {
      assertWrittenNoMoreUntilEnabledAgain(vcpu, leaving);
    }
  }

  private void assertWrittenNoMoreUntilEnabledAgain(Vcpu vcpu, Leaving leaving) {
    long gpa = Guest.pvclockGpa(vcpu.index());
    GuestMemory memory = clocks.vm().memory();
    clocks.setClock(1);
    clocks.runAll();
    leaving.leave(guest, vcpu, gpa);
    byte[] left = memory.read(gpa, PAGE_SIZE);

    clocks.setClock(1L << 41);
    clocks.runAll();
    byte[] after = memory.read(gpa, PAGE_SIZE);
    vcpu.setMsr(Msr.KVM_SYSTEM_TIME_NEW, gpa | ENABLED);
    guest.run(vcpu);

    assertArrayEquals(
        left, after, () -> "%s: its page, after %s and KVM_SET_CLOCK".formatted(vcpu, leaving));
    assertEquals(
        1L << 41,
        clocks.page(vcpu).systemTime(),
        () -> "%s: system_time of the page that the host enabled again".formatted(vcpu));
    clocks.assertStableBit(true, "after a page was left and enabled again");
    clocks.assertPagesGive(clocks.vm().getClock(), "after a page was left and enabled again");
  }

  static Stream<Arguments> systemTimeMsrs() {
    return Stream.of(
        argumentSet("index of old", Msr.KVM_SYSTEM_TIME),
        argumentSet("new index", Msr.KVM_SYSTEM_TIME_NEW));
  }

  @ParameterizedTest
  @MethodSource("systemTimeMsrs")
  void systemTimeMsrIsReadBackByHostAndGuest(Msr written) {
    for (Vcpu vcpu : clocks.vcpus()) {
      for (long value : new long[] {SPARE + 0x40L * vcpu.index() | ENABLED, SPARE, HIGH, 0}) {
        vcpu.setMsr(written, value);
        assertReadBack(vcpu, value, "KVM_SET_MSRS of " + written);
      }
      // By the new index: vCPU 0's guest turns the master clock off by the old one.
      long usual = Guest.pvclockGpa(vcpu.index()) | ENABLED;
      guest.writeMsr(vcpu, Msr.KVM_SYSTEM_TIME_NEW, usual);
      assertReadBack(vcpu, usual, "the guest's WRMSR of " + Msr.KVM_SYSTEM_TIME_NEW);
    }
  }

  private void assertReadBack(Vcpu vcpu, long value, String how) {
    for (Msr index : List.of(Msr.KVM_SYSTEM_TIME, Msr.KVM_SYSTEM_TIME_NEW)) {
      String where = "%s: %s after %s of 0x%x".formatted(vcpu, index, how, value);
      assertEquals(value, vcpu.getMsr(index), () -> "KVM_GET_MSRS, " + where);
      assertEquals(value, guest.readMsr(vcpu, index).value(), () -> "guest's RDMSR, " + where);
    }
  }
}
