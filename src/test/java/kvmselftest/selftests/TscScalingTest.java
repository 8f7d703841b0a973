package kvmselftest.selftests;

import static kvmselftest.selftests.Refusal.assertAccepted;
import static kvmselftest.selftests.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import kvmselftest.Requires;
import kvmselftest.guest.ClockGuest;
import kvmselftest.guest.RunningClocks;
import kvmselftest.guest.VcpuThread;
import kvmselftest.kvm.ClockData;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Requirement;
import kvmselftest.kvm.TimedCalls;
import kvmselftest.kvm.TimedCalls.Timed;
import kvmselftest.kvm.TscOffset;
import kvmselftest.kvm.Vcpu;
import kvmselftest.kvm.Vm;
import kvmselftest.migration.HostTscRate;
import kvmselftest.migration.TscScaling;
import kvmselftest.probe.Behaviour;
import kvmselftest.sys.Errno;
import kvmselftest.x86.CounterWindow;
import kvmselftest.x86.ErrorBounds;
import kvmselftest.x86.HostTsc;
import kvmselftest.x86.Msr;
import kvmselftest.x86.PvclockPage;
import kvmselftest.x86.PvclockScale;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A guest whose TSC counts at another rate than its host's. Its TSC is the host's times a ratio of
 * so many bits, and then the offset is added: {@code kvm_scale_tsc()} in arch/x86/kvm/x86.c; SDM
 * volume 3, section 26.3, TSC multiplier; APM volume 2, section 15.30.5, TSC_RATIO. The ratio is
 * the rates' quotient, rounded down. All of that is computed here to the bit.
 *
 * <p>Upstream's tsc_scaling_sync sees whether vCPUs of one other rate run backwards against each
 * other, and its nested_tsc_scaling_test takes 1 % of tolerance.
 */
@Tag("selftest")
@Requires({
  Requirement.KVM,
  Requirement.TSC_OFFSET,
  Requirement.VM_TSC_KHZ,
  Requirement.TSC_CONTROL,
  Requirement.TSC_CLOCKSOURCE
})
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TscScalingTest {
  private static final int VCPUS = 4;

  /** As many as upstream's tsc_scaling_sync has. */
  private static final int MANY = 20;

  private static final int SAMPLES = 20;

  /** How many values of each other's clock two vCPUs are to see. */
  private static final long ENOUGH = 1_000;

  /** Beyond what KVM lets any CPU scale to (kvm_caps.max_guest_tsc_khz is at most this). */
  private static final int TOO_MUCH = Integer.MAX_VALUE;

  /** Offsets that KVM does not take for near to each other, ticks; more than 32 bits. */
  private static final long APART = 9_876_543_210_123L;

  /** Enough for a second that is not the guest's to be told, ms. */
  private static final long SOME_TIME = 300;

  /** What is too long between two calls, ms: half of the tenth of a second that is left. */
  private static final long HELD_UP = 50;

  /** How often what a busy host has spoilt is tried. */
  private static final int ATTEMPTS = 20;

  private static final long MINUTE = 60_000_000_000L;

  private final Kvm kvm = Kvm.open();
  private final HostTscRate host = HostTscRate.of(kvm);

  /** By what a page of a guest of the host's rate turns ticks into ns. */
  private PvclockScale hostScale;

  @BeforeAll
  void findHostsScale() {
    try (KvmclockVm unscaled = new KvmclockVm(kvm, 1)) {
      hostScale = unscaled.page(unscaled.vcpu(0)).scale();
    }
  }

  @AfterAll
  void close() {
    kvm.close();
  }

  /** Halves and doubles lose no bit by rounding; the others do. */
  static Stream<Arguments> rates() {
    return Stream.of(
        argumentSet("half", 1, 2),
        argumentSet("two thirds", 2, 3),
        argumentSet("just past the tolerance", 1_000_300, 1_000_000),
        argumentSet("seven fifths", 7, 5),
        argumentSet("twice", 2, 1));
  }

  /** kHz. */
  private long rate(long times, long dividedBy) {
    return host.khz() * times / dividedBy;
  }

  /** A VM of a rate of its own, whose vCPUs have kvmclock enabled and have all run. */
  private KvmclockVm scaled(long khz, int vcpus) {
    KvmclockVm made = new KvmclockVm(kvm);
    assertAccepted(made.vm().trySetTscKhz(khz), "KVM_SET_TSC_KHZ of the VM to " + khz);
    while (made.vcpus().size() < vcpus) {
      Vcpu vcpu = made.createVcpu();
      assertEquals(khz, vcpu.getTscKhz(), () -> "KVM_GET_TSC_KHZ of new " + vcpu);
    }
    made.vcpus().forEach(made.guest()::enableKvmclock);
    return made;
  }

  @ParameterizedTest
  @MethodSource("rates")
  void guestTscIsScaledHostTscPlusOffset(long times, long dividedBy, TestReporter reporter) {
    long khz = rate(times, dividedBy);
    try (KvmclockVm scaled = scaled(khz, VCPUS)) {
      for (Vcpu vcpu : scaled.vcpus()) {
        vcpu.setTscOffset(new TscOffset(-APART * vcpu.index()));
      }
      for (Vcpu vcpu : scaled.vcpus()) {
        assertFollows(scaled, vcpu, host.scalingFor(khz), reporter);
      }
    }
  }

  /** RDTSC in the guest and KVM_GET_MSRS, against the host's TSC before and after each. */
  private void assertFollows(KvmclockVm vm, Vcpu vcpu, TscScaling scaling, TestReporter reporter) {
    TscOffset offset = vcpu.getTscOffset();
    ErrorBounds rdtsc = new ErrorBounds("ticks");
    for (int i = 0; i < SAMPLES; i++) {
      ClockGuest.TscReading reading = vm.guest().readTsc(vcpu);
      rdtsc.add(reading.guestTsc(), guestTsc(reading.hostTsc(), scaling, offset));
    }
    assertNoError("RDTSC", vcpu, scaling, rdtsc, reporter);

    TimedCalls calls = new TimedCalls();
    List<Timed<Long>> reads = new ArrayList<>();
    for (int i = 0; i < SAMPLES; i++) {
      reads.add(calls.getMsr(vcpu, Msr.IA32_TSC));
    }
    calls.make();
    ErrorBounds msr = new ErrorBounds("ticks");
    reads.forEach(read -> msr.add(read.value(), guestTsc(read.hostTsc(), scaling, offset)));
    assertNoError("KVM_GET_MSRS of IA32_TSC", vcpu, scaling, msr, reporter);
  }

  /** From when to when the guest's TSC goes while the host's does. */
  private static CounterWindow guestTsc(
      CounterWindow hostTsc, TscScaling scaling, TscOffset offset) {
    return new CounterWindow(
        offset.guestTsc(scaling.scale(hostTsc.from())),
        offset.guestTsc(scaling.scale(hostTsc.to())));
  }

  private static void assertNoError(
      String clock, Vcpu vcpu, TscScaling scaling, ErrorBounds bounds, TestReporter reporter) {
    String what = "%s of %s".formatted(clock, vcpu);
    String observation =
        "%s, host TSC %s plus offset %s: %s".formatted(what, scaling, vcpu.getTscOffset(), bounds);
    reporter.publishEntry(Measured.error(observation, what, bounds));
    assertTrue(bounds.allowNone(), observation + ", which leaves out 0");
  }

  /**
   * A page's timestamp is the guest's TSC when KVM took its snapshot of the host's, and what the
   * host's was then follows from KVM_GET_CLOCK: it counts from the same snapshot, at the host's
   * rate. The page counts at the scaled rate, of which KVM has whole kHz.
   */
  @ParameterizedTest
  @MethodSource("rates")
  void pageIsOfTheScaledTsc(long times, long dividedBy, TestReporter reporter) {
    long khz = rate(times, dividedBy);
    TscScaling scaling = host.scalingFor(khz);
    TscOffset offset = new TscOffset(APART);
    try (KvmclockVm scaled = scaled(khz, VCPUS)) {
      scaled.settleOffsets(offset, 0);
      scaled.setClock(MINUTE);
      scaled.runAll();

      ClockData got = scaled.vm().getClock();

      KvmclockVm.assertMasterClock(true, "with vCPUs of one rate and one offset", got);
      for (Vcpu vcpu : scaled.vcpus()) {
        PvclockPage page = scaled.page(vcpu);
        assertEquals(
            PvclockScale.ofKhz(scaling.scale(hostScale.khz())),
            page.scale(),
            () -> "%s, %d kHz, the host's %d kHz %s".formatted(vcpu, khz, host.khz(), scaling));
        CounterWindow expected = guestTsc(snapshotTsc(got, page), scaling, offset);
        String observation =
            "%s at %d of %d kHz: timestamp of its page %s, expected %s by %s"
                .formatted(
                    vcpu,
                    khz,
                    host.khz(),
                    Long.toUnsignedString(page.tscTimestamp()),
                    expected,
                    got);
        reporter.publishEntry(
            Measured.reading(
                observation, "timestamp of " + vcpu, "ticks", page.tscTimestamp(), expected));
        assertTrue(expected.contains(page.tscTimestamp()), observation);
      }
    }
  }

  /** The host's TSC at KVM's snapshot: what KVM_GET_CLOCK adds to a page's system_time is known. */
  private CounterWindow snapshotTsc(ClockData got, PvclockPage page) {
    PvclockPage counting = new PvclockPage(2, 0, 0, hostScale.mul(), hostScale.shift(), 0);
    long nanos = got.clock() - page.systemTime();
    long least = nanos * host.khz() / 1_000_000;
    while (counting.nanosAt(least) >= nanos) {
      least--;
    }
    while (counting.nanosAt(least) < nanos) {
      least++;
    }
    long most = least;
    while (counting.nanosAt(most + 1) == nanos) {
      most++;
    }
    return new CounterWindow(got.hostTsc() - most, got.hostTsc() - least);
  }

  /** In the hardware, too, from the next KVM_RUN on; and it can be undone. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, VCPUS - 1})
  void rateOfOneVcpuIsItsOwn(int index, TestReporter reporter) {
    try (KvmclockVm vm = new KvmclockVm(kvm, VCPUS)) {
      for (Vcpu vcpu : vm.vcpus()) {
        vcpu.setTscOffset(new TscOffset(APART));
      }
      for (long khz : new long[] {rate(1, 2), rate(7, 5), 0}) {
        Vcpu changed = vm.vcpu(index);
        assertAccepted(changed.trySetTscKhz(khz), "KVM_SET_TSC_KHZ of %s".formatted(changed));
        for (Vcpu vcpu : vm.vcpus()) {
          long expected = vcpu == changed && khz != 0 ? khz : host.khz();
          assertEquals(expected, vcpu.getTscKhz(), () -> "KVM_GET_TSC_KHZ of " + vcpu);
          assertFollows(vm, vcpu, host.scalingFor(expected), reporter);
          if (vcpu != changed) {
            assertEquals(new TscOffset(APART), vcpu.getTscOffset(), () -> "offset of " + vcpu);
          }
        }
      }
    }
  }

  /** First the rate, then the TSC: so do VMMs that restore a guest. */
  @ParameterizedTest
  @MethodSource("rates")
  void tscThatIsWrittenIsTheGuests(long times, long dividedBy, TestReporter reporter) {
    long khz = rate(times, dividedBy);
    TscScaling scaling = host.scalingFor(khz);
    try (KvmclockVm vm = scaled(khz, 2)) {
      for (Vcpu vcpu : vm.vcpus()) {
        TimedCalls calls = new TimedCalls();
        Timed<Long> write = calls.setMsr(vcpu, Msr.IA32_TSC, APART * (vcpu.index() + 1));
        calls.make();
        CounterWindow offsets =
            exactly(write.value()).minus(guestTsc(write.hostTsc(), scaling, new TscOffset(0)));
        long offset = vcpu.getTscOffset().ticks();
        String observation =
            "offset of %s after KVM_SET_MSRS of IA32_TSC to %d at host TSC %s, %s: %d, expected %s"
                .formatted(vcpu, write.value(), write.hostTsc(), scaling, offset, offsets);
        reporter.publishEntry(
            Measured.reading(observation, "offset of " + vcpu, "ticks", offset, offsets));
        assertTrue(offsets.contains(offset), observation);
        assertFollows(vm, vcpu, scaling, reporter);

        assertGuestsWritesMoveBoth(vm, vcpu, Msr.IA32_TSC, -APART);
        assertGuestsWritesMoveBoth(vm, vcpu, Msr.IA32_TSC_ADJUST, 3 * APART);
        assertFollows(vm, vcpu, scaling, reporter);
      }
    }
  }

  /** In guest ticks: what the TSC moves by is what the offset does, and IA32_TSC_ADJUST. */
  private static void assertGuestsWritesMoveBoth(KvmclockVm vm, Vcpu vcpu, Msr msr, long value) {
    TscOffset before = vcpu.getTscOffset();
    long adjust = vcpu.getMsr(Msr.IA32_TSC_ADJUST);

    CounterWindow guestTsc = vm.guest().writeMsr(vcpu, msr, value);

    long moved = vcpu.getTscOffset().ticks() - before.ticks();
    assertEquals(
        adjust + moved,
        vcpu.getMsr(Msr.IA32_TSC_ADJUST),
        () -> "IA32_TSC_ADJUST of %s, whose offset moved by %d".formatted(vcpu, moved));
    if (msr == Msr.IA32_TSC_ADJUST) {
      assertEquals(
          value - adjust, moved, () -> "offset of %s, by how much it moved".formatted(vcpu));
    } else {
      long then = value - moved;
      CounterWindow until = new CounterWindow(guestTsc.from(), guestTsc.to() - moved);
      assertTrue(
          until.contains(then),
          () ->
              "%s wrote %d into %s and its offset moved by %d, so that its TSC was %d, not in %s"
                  .formatted(vcpu, value, msr, moved, then, until));
    }
  }

  private static CounterWindow exactly(long value) {
    return new CounterWindow(value, value);
  }

  /** What was written last, on vCPU 0: from there KVM expects the next value. */
  private enum LastWrite {
    ATTRIBUTE,
    MSR,
    MSR_SOME_TIME_AGO
  }

  /**
   * The second in which KVM takes a write for an attempt to synchronise is one of the guest's
   * ticks, and so is the time since the last write.
   */
  @ParameterizedTest
  @MethodSource("rates")
  void valueWithinOneSecondOfTheGuestsIsSynchronised(
      long times, long dividedBy, TestReporter reporter) throws InterruptedException {
    long khz = rate(times, dividedBy);
    try (KvmclockVm vm = scaled(khz, 2)) {
      for (LastWrite last : LastWrite.values()) {
        for (long tenths : new long[] {-11, -9, 9, 11}) {
          assertSynchronisedOrNot(write(vm, khz, last, tenths), reporter);
        }
      }
    }
  }

  private static void writeVcpu0(KvmclockVm vm, LastWrite last) throws InterruptedException {
    vm.setOffsets(new TscOffset(-APART), 0);
    if (last == LastWrite.ATTRIBUTE) {
      vm.vcpu(0).setTscOffset(new TscOffset(APART));
    } else {
      vm.vcpu(0).setMsr(Msr.IA32_TSC, APART);
    }
    if (last == LastWrite.MSR_SOME_TIME_AGO) {
      Thread.sleep(SOME_TIME);
    }
  }

  /**
   * A write of vCPU 1's IA32_TSC.
   *
   * @param reference vCPU 0's offset
   * @param offset vCPU 1's, after it
   * @param landed the offsets that it has if the value is taken as it is
   */
  private record Write(
      long khz,
      LastWrite last,
      long tenths,
      TscOffset reference,
      long offset,
      CounterWindow landed) {}

  /**
   * Writes vCPU 1 so many tenths of a second away from what vCPU 0's TSC shows; again, if the host
   * was held up for so long that the tenth to the next second may be over.
   */
  private Write write(KvmclockVm vm, long khz, LastWrite last, long tenths)
      throws InterruptedException {
    TscScaling scaling = host.scalingFor(khz);
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      writeVcpu0(vm, last);
      TscOffset reference = vm.vcpu(0).getTscOffset();
      TimedCalls calls = new TimedCalls();
      long now = HostTsc.read();
      long value = reference.guestTsc(scaling.scale(now)) + tenths * khz * 100;
      Timed<Long> write = calls.setMsr(vm.vcpu(1), Msr.IA32_TSC, value);
      calls.make();
      if (write.hostTsc().to() - now < HELD_UP * host.khz()) {
        CounterWindow landed =
            exactly(value).minus(guestTsc(write.hostTsc(), scaling, new TscOffset(0)));
        return new Write(khz, last, tenths, reference, vm.vcpu(1).getTscOffset().ticks(), landed);
      }
    }
    return Assumptions.abort(
        "held up in each of %d attempts to write IA32_TSC near vCPU 0's".formatted(ATTEMPTS));
  }

  private void assertSynchronisedOrNot(Write write, TestReporter reporter) {
    CounterWindow expected =
        Math.abs(write.tenths) < 10 ? exactly(write.reference.ticks()) : write.landed;
    String observation =
        "vCPU 1 at %d of %d kHz, written %+d tenths of a second from vCPU 0's TSC after %s: offset %d, expected %s"
            .formatted(write.khz, host.khz(), write.tenths, write.last, write.offset, expected);
    reporter.publishEntry(observation);
    assertTrue(expected.contains(write.offset), observation);
  }

  /**
   * Upstream's tsc_scaling_sync: many vCPUs, created one after the other in threads of their own,
   * never see each other's TSC run backwards. Here none is any tick ahead of the next one's,
   * either.
   */
  @Test
  @Requires(Requirement.PARALLEL_CPUS)
  void manyVcpusOfOneRateAreSynchronised(TestReporter reporter) {
    long khz = rate(47, 40);
    try (ClockGuest guest = ClockGuest.load(kvm)) {
      assertAccepted(guest.vm().trySetTscKhz(khz), "KVM_SET_TSC_KHZ of the VM to " + khz);
      List<VcpuThread> vcpus =
          IntStream.range(0, MANY).mapToObj(i -> VcpuThread.start(guest, i)).toList();
      try {
        TscOffset first = vcpus.getFirst().call(Vcpu::getTscOffset);
        for (VcpuThread vcpu : vcpus) {
          int index = vcpu.index();
          int got = vcpu.call(Vcpu::getTscKhz);
          assertEquals(khz, got, () -> "KVM_GET_TSC_KHZ of vCPU " + index);
          assertEquals(
              first, vcpu.call(Vcpu::getTscOffset), () -> "offset of new vCPU %d".formatted(index));
        }
        assertNeverBackwards(guest, vcpus, reporter);
      } finally {
        vcpus.forEach(VcpuThread::close);
      }
    }
  }

  private static void assertNeverBackwards(
      ClockGuest guest, List<VcpuThread> vcpus, TestReporter reporter) {
    RunningClocks clocks = new RunningClocks(guest, ENOUGH);
    for (VcpuThread one : vcpus) {
      VcpuThread other = vcpus.get((one.index() + 1) % vcpus.size());
      String pair = "TSC of vCPUs %d and %d".formatted(one.index(), other.index());
      ErrorBounds bounds = clocks.tscBetween(one, other, 0);
      reporter.publishEntry(Measured.error(pair + ": " + bounds, pair, bounds));
      assertTrue(bounds.allowNone(), () -> "%s: %s, which leaves out 0".formatted(pair, bounds));
    }
  }

  /** While it runs, against what the host makes of its own TSC. */
  @ParameterizedTest
  @MethodSource("rates")
  @Requires(Requirement.PARALLEL_CPUS)
  void kvmclockOfRunningVcpuIsGetClocks(long times, long dividedBy, TestReporter reporter) {
    long khz = rate(times, dividedBy);
    try (ClockGuest guest = ClockGuest.load(kvm)) {
      assertAccepted(guest.vm().trySetTscKhz(khz), "KVM_SET_TSC_KHZ of the VM to " + khz);
      RunningClocks clocks = new RunningClocks(guest, ENOUGH);
      List<VcpuThread> vcpus =
          IntStream.range(0, 2).mapToObj(i -> VcpuThread.start(guest, i)).toList();
      try {
        vcpus.forEach(vcpu -> vcpu.run(guest::enableKvmclock));
        for (VcpuThread vcpu : vcpus) {
          guest.vm().setClock(ClockData.ofClock(MINUTE)); // a new snapshot
          vcpus.forEach(each -> each.run(guest::run));
          ClockData got = guest.vm().getClock();
          KvmclockVm.assertMasterClock(true, "with vCPUs of one rate and one offset", got);
          PvclockPage atHostTsc =
              new PvclockPage(2, got.hostTsc(), got.clock(), hostScale.mul(), hostScale.shift(), 0);

          ErrorBounds bounds = clocks.kvmclockAgainstHost(vcpu, atHostTsc);

          // The page's rate is a whole number of kHz, less than one too low by each of two
          // roundings.
          long age = guest.vm().getClock().clock() - guest.pvclockPage(vcpu.index()).systemTime();
          long drift = 2 + 2 * age / khz;
          String what = "kvmclock of running vCPU %d".formatted(vcpu.index());
          String observation =
              "%s at %d of %d kHz against KVM_GET_CLOCK carried on by the host's TSC: %s"
                  .formatted(what, khz, host.khz(), bounds);
          reporter.publishEntry(Measured.error(observation, what, bounds));
          assertTrue(
              bounds.allowRounding(-drift, drift),
              () -> observation + ", but rounding makes at most %d ns".formatted(drift));
        }
      } finally {
        vcpus.forEach(VcpuThread::close);
      }
    }
  }

  @Test
  void rateBeyondWhatCpuScalesToIsRefused() {
    try (KvmclockVm vm = new KvmclockVm(kvm, VCPUS)) {
      ClockState settled = ClockState.settle(vm.guest(), vm.vcpus());
      for (Vcpu vcpu : vm.vcpus()) {
        assertRefused(Errno.EINVAL, vcpu.trySetTscKhz(TOO_MUCH), "KVM_SET_TSC_KHZ of " + vcpu);
        assertEquals(host.khz(), vcpu.getTscKhz(), () -> "KVM_GET_TSC_KHZ after it, " + vcpu);
      }
      assertRefused(Errno.EINVAL, vm.vm().trySetTscKhz(TOO_MUCH), "KVM_SET_TSC_KHZ of the VM");
      assertEquals(host.khz(), vm.vm().getTscKhz(), "KVM_GET_TSC_KHZ of the VM after the refusal");
      settled.assertUnchanged("rates were refused");
    }
  }

  /** {@link Behaviour#KHZ_RESYNC}. */
  @Test
  void rateAfterTheTscMovesItOrNot(TestReporter reporter) {
    boolean jumps = Behaviour.KHZ_RESYNC.is("jump");
    try (KvmclockVm vm = new KvmclockVm(kvm, VCPUS)) {
      for (Vcpu vcpu : vm.vcpus()) {
        TscOffset before = vcpu.getTscOffset();
        assertAccepted(vcpu.trySetTscKhz(rate(1, 2)), "KVM_SET_TSC_KHZ of " + vcpu);
        TscOffset after = vcpu.getTscOffset();
        reporter.publishEntry("%s: offset %s, then %s".formatted(vcpu, before, after));
        assertEquals(jumps, before.equals(after), () -> vcpu + ": the offset stays, " + after);
      }
    }
  }

  /** The VM's rate is that of a vCPU that comes later, whatever the others were set to. */
  @Test
  void vcpuThatComesLaterHasTheVmsRate() {
    try (KvmclockVm vm = new KvmclockVm(kvm)) {
      List<Vcpu> halved = List.of(vm.createVcpu(), vm.createVcpu());
      for (Vcpu vcpu : halved) {
        assertAccepted(vcpu.trySetTscKhz(rate(1, 2)), "KVM_SET_TSC_KHZ of " + vcpu);
      }
      for (Vcpu vcpu : halved) { // all in one pass: each vCPU that is created begins anew to match
        vcpu.setTscOffset(new TscOffset(0));
      }
      assertEquals(
          ClockData.flagNames(ClockData.ALL_FLAGS),
          ClockData.flagNames(flagsAfterSetClock(vm.vm())),
          "flags of KVM_GET_CLOCK with vCPUs of one rate and one offset");
      long before = HostTsc.read();
      Vcpu added = vm.createVcpu();
      CounterWindow created = new CounterWindow(before, HostTsc.read());

      assertEquals(host.khz(), added.getTscKhz(), "KVM_GET_TSC_KHZ of a vCPU that comes later");
      TscOffset offset = added.getTscOffset();
      assertTrue(
          created.contains(-offset.ticks()),
          () -> "its offset %s, host TSC around KVM_CREATE_VCPU %s".formatted(offset, created));
      assertEquals(
          ClockData.flagNames(0),
          ClockData.flagNames(flagsAfterSetClock(vm.vm())),
          "flags of KVM_GET_CLOCK with a vCPU of another rate");
    }
  }

  private static int flagsAfterSetClock(Vm vm) {
    vm.setClock(ClockData.ofClock(1));
    return vm.getClock().flags();
  }
}
