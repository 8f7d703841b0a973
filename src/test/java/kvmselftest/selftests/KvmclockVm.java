package kvmselftest.selftests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import kvmselftest.guest.ClockGuest;
import kvmselftest.kvm.ClockData;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.TimedCalls;
import kvmselftest.kvm.TscOffset;
import kvmselftest.kvm.Vcpu;
import kvmselftest.kvm.Vm;
import kvmselftest.probe.Behaviour;
import kvmselftest.sys.Clock;
import kvmselftest.x86.CounterWindow;
import kvmselftest.x86.ErrorBounds;
import kvmselftest.x86.PvclockPage;

/**
 * A VM whose vCPUs have kvmclock enabled and all belong to the test's own thread, where they run
 * one after the other.
 */
final class KvmclockVm implements AutoCloseable {
  /** The host's clock readings around a KVM_GET_CLOCK, and how often. */
  private static final int READINGS = 20;

  private final ClockGuest guest;
  private final Vm vm;
  private final List<Vcpu> vcpus = new ArrayList<>();

  KvmclockVm(Kvm kvm) {
    this.guest = ClockGuest.load(kvm);
    this.vm = guest.vm();
  }

  /** As many vCPUs, which have all run: the master clock is on. */
  KvmclockVm(Kvm kvm, int vcpuCount) {
    this(kvm);
    while (vcpus.size() < vcpuCount) {
      createVcpu();
    }
    vcpus.forEach(guest::enableKvmclock);
  }

  ClockGuest guest() {
    return guest;
  }

  Vm vm() {
    return vm;
  }

  List<Vcpu> vcpus() {
    return vcpus;
  }

  Vcpu vcpu(int index) {
    return vcpus.get(index);
  }

  /** Creates the next vCPU, without kvmclock yet. */
  Vcpu createVcpu() {
    Vcpu vcpu = guest.createVcpu(vcpus.size());
    vcpus.add(vcpu);
    return vcpu;
  }

  /** KVM_RUN on each vCPU: KVM serves what it has put off until then. */
  void runAll() {
    vcpus.forEach(guest::run);
  }

  /**
   * Writes the offset of every vCPU, whatever it is, beginning with one of them: only then does KVM
   * take them for equal.
   */
  void setOffsets(TscOffset offset, int first) {
    for (int i = 0; i < vcpus.size(); i++) {
      vcpus.get((first + i) % vcpus.size()).setTscOffset(offset);
    }
  }

  /**
   * As {@link #setOffsets}, and lets KVM do what that makes it put off. Up to 6.1 that is a new
   * snapshot of the master clock for each vCPU that was written, as it runs, which the pages of
   * those that ran before have from their next run on.
   */
  void settleOffsets(TscOffset offset, int first) {
    setOffsets(offset, first);
    runAll();
    runAll();
  }

  PvclockPage page(Vcpu vcpu) {
    return guest.pvclockPage(vcpu);
  }

  List<PvclockPage> pages() {
    return vcpus.stream().map(guest::pvclockPage).toList();
  }

  /** KVM_SET_CLOCK, and the host's TSC before and after: KVM takes its snapshot in between. */
  CounterWindow setClock(long nanos) {
    TimedCalls calls = new TimedCalls();
    TimedCalls.Timed<ClockData> set = calls.setClock(vm, ClockData.ofClock(nanos));
    calls.make();
    return set.hostTsc();
  }

  /** Where kvmclock is on the host's clock at the same moment: kvmclock - CLOCK_MONOTONIC_RAW. */
  record Position(ErrorBounds aheadOfRaw, long raw, ClockData clock) {}

  /** Reads both clocks in turn, some 20 times. */
  Position position() {
    TimedCalls calls = new TimedCalls();
    List<TimedCalls.Timed<Long>> raw = new ArrayList<>();
    List<TimedCalls.Timed<ClockData>> clock = new ArrayList<>();
    raw.add(calls.read(Clock.MONOTONIC_RAW));
    for (int i = 0; i < READINGS; i++) {
      clock.add(calls.getClock(vm));
      raw.add(calls.read(Clock.MONOTONIC_RAW));
    }
    calls.make();
    ErrorBounds ahead = new ErrorBounds("ns");
    for (int i = 0; i < READINGS; i++) {
      long kvmclock = clock.get(i).value().clock();
      ahead.add(kvmclock, new CounterWindow(raw.get(i).value(), raw.get(i + 1).value()));
    }
    return new Position(ahead, raw.getLast().value(), clock.getLast().value());
  }

  /**
   * Asserts that kvmclock went on as if nothing had happened.
   *
   * @param since CLOCK_MONOTONIC_RAW before the last snapshot that KVM may have used
   * @return the bounds of the error, for the report
   */
  static ErrorBounds assertContinuous(String step, Position before, Position after, long since) {
    ErrorBounds jump = new ErrorBounds("ns");
    jump.add(
        after.aheadOfRaw.least() - before.aheadOfRaw.most(),
        after.aheadOfRaw.most() - before.aheadOfRaw.least());
    long drift = drift(after.raw - since);
    assertTrue(
        jump.least() <= drift && jump.most() >= -drift,
        () ->
            "%s: kvmclock jumped, %s; before: %s, after: %s; as seen by CLOCK_MONOTONIC_RAW, against"
                    .formatted(step, jump, before.clock, after.clock)
                + " which it may drift by %d ns in this time".formatted(drift));
    return jump;
  }

  /**
   * How far kvmclock by a pvclock page and by CLOCK_MONOTONIC_RAW come apart in so many nanoseconds
   * at most, ns. Both count the same TSC. KVM's multiplier is exact to 2^-31 and the clocksource's
   * to 2^-22 (it has 23 bits or more), both of the same whole kHz: 1e-6 together, and generously.
   * But if KVM counts with the rate from before the kernel refined it, by 1 %. Three readings are
   * rounded to 1 ns each.
   */
  static long drift(long nanos) {
    return 3 + nanos / (Behaviour.CLOCK_KHZ.is("current") ? 1_000_000 : 100);
  }

  /** KVM_GET_CLOCK's flags on this kernel where the vCPUs' offsets differ. */
  static int flagsOfUnequalOffsets() {
    return Behaviour.MC_UNEQUAL.is("on") ? ClockData.ALL_FLAGS : 0;
  }

  /** What KVM_GET_CLOCK's flags are to be, all or none. */
  static void assertMasterClock(boolean on, String when, ClockData got) {
    assertEquals(
        ClockData.flagNames(on ? ClockData.ALL_FLAGS : 0),
        ClockData.flagNames(got.flags()),
        () -> "flags of KVM_GET_CLOCK " + when + ": " + got);
    if (!on) {
      assertEquals(0, got.hostTsc(), () -> "host_tsc without its flag " + when + ": " + got);
      assertEquals(0, got.realtime(), () -> "realtime without its flag " + when + ": " + got);
    }
  }

  /** Asserts PVCLOCK_TSC_STABLE_BIT, and that no other bit is set, in every vCPU's page. */
  void assertStableBit(boolean on, String when) {
    for (Vcpu vcpu : vcpus) {
      assertEquals(
          on ? PvclockPage.TSC_STABLE : 0,
          page(vcpu).flags(),
          () ->
              "%s: flags of the pvclock page %s: %s; PVCLOCK_TSC_STABLE_BIT is to be %s"
                  .formatted(vcpu, when, page(vcpu), on ? "set" : "clear"));
    }
  }

  /**
   * Asserts that every vCPU's page gives KVM_GET_CLOCK's clock at its host_tsc. Both are the same
   * arithmetic on the same snapshot, so there is nothing to round differently.
   */
  void assertPagesGive(ClockData got, String when) {
    for (Vcpu vcpu : vcpus) {
      TscOffset offset = vcpu.getTscOffset();
      assertPageGives(got, page(vcpu), offset, vcpu + " " + when);
    }
  }

  static void assertPageGives(ClockData got, PvclockPage page, TscOffset offset, String whose) {
    long byPage = page.nanosAt(offset.guestTsc(got.hostTsc()));
    assertEquals(
        got.clock(),
        byPage,
        () ->
            "%s: its pvclock page is %+d ns off KVM_GET_CLOCK at that host TSC with offset %s: %s, %s"
                .formatted(whose, byPage - got.clock(), offset, got, page));
  }

  @Override
  public void close() {
    guest.close();
  }
}
