package kvmselftest.selftests;

import static kvmselftest.selftests.Refusal.assertAccepted;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import java.util.BitSet;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import kvmselftest.Requires;
import kvmselftest.guest.ClockGuest;
import kvmselftest.guest.Guest;
import kvmselftest.guest.WallClockWrite;
import kvmselftest.kvm.GuestMemory;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Requirement;
import kvmselftest.kvm.Vcpu;
import kvmselftest.kvm.Vm;
import kvmselftest.x86.ClockPairing;
import kvmselftest.x86.Msr;
import kvmselftest.x86.PvclockPage;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What KVM itself writes of a clock into a guest's memory is in the log of written pages
 * (KVM_GET_DIRTY_LOG), by which a live migration knows what to copy again: a page that is not in it
 * arrives as it was before, and the guest goes on by a clock of then.
 *
 * <p>Upstream's dirty_log_test looks at pages that the guest writes, never at these.
 */
@Tag("selftest")
@Requires({Requirement.KVM, Requirement.TSC_CLOCKSOURCE})
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DirtyLogTest {
  private static final int VCPUS = 3;
  private static final long HOUR = 3_600_000_000_000L;

  /** What a page holds that KVM is to write, at its beginning. */
  private static final long UNTOUCHED = 0x5a5a_5a5a_5a5a_5a5aL;

  private final Kvm kvm = Kvm.open();
  private KvmclockVm clocks;
  private Vm vm;

  @BeforeAll
  void logDirtyPages() {
    clocks = new KvmclockVm(kvm, VCPUS);
    vm = clocks.vm();
    vm.logDirtyPages();
  }

  @BeforeEach
  void emptyTheLog() {
    clocks.runAll();
    vm.getDirtyLog();
    assertEquals(new BitSet(), vm.getDirtyLog(), "KVM_GET_DIRTY_LOG empties the log: pages in it");
  }

  @AfterAll
  void close() {
    clocks.close();
    kvm.close();
  }

  static Stream<Arguments> causes() {
    return Stream.of(
        cause("KVM_SET_CLOCK", clocks -> clocks.setClock(HOUR)),
        cause("KVM_KVMCLOCK_CTRL", clocks -> clocks.vcpus().forEach(DirtyLogTest::setPaused)),
        cause(
            "KVM_SET_MSRS of IA32_TSC",
            clocks -> clocks.vcpus().forEach(vcpu -> vcpu.setMsr(Msr.IA32_TSC, HOUR))),
        cause(
            "the guest enables it again",
            clocks -> clocks.vcpus().forEach(clocks.guest()::enableKvmclock)));
  }

  private static void setPaused(Vcpu vcpu) {
    assertAccepted(vcpu.tryKvmclockCtrl(), "KVM_KVMCLOCK_CTRL of " + vcpu);
  }

  private static Arguments cause(String name, Consumer<KvmclockVm> cause) {
    return argumentSet(name, cause);
  }

  @ParameterizedTest
  @MethodSource("causes")
  void pvclockPageThatKvmWritesIsLogged(Consumer<KvmclockVm> cause) {
    List<PvclockPage> before = clocks.pages();

    cause.accept(clocks);
    clocks.runAll();

    BitSet log = vm.getDirtyLog();
    for (Vcpu vcpu : clocks.vcpus()) {
      PvclockPage page = clocks.page(vcpu);
      assertNotEquals(
          before.get(vcpu.index()).version(),
          page.version(),
          () -> "%s: KVM has not written its page: %s".formatted(vcpu, page));
      assertLogged(Guest.pvclockGpa(vcpu.index()), log, vcpu + ": its page, now " + page);
    }
    assertFalse(
        log.get(page(Guest.pvclockGpa(VCPUS))),
        () -> "a page that nobody writes is logged; all: " + log);
  }

  static Stream<Arguments> places() {
    return Stream.of(
        argumentSet("in a page", 0L), // which KVM writes thrice: one that is logged is enough
        argumentSet("across two pages", GuestMemory.PAGE_SIZE - WallClockWrite.SIZE / 2));
  }

  @ParameterizedTest
  @MethodSource("places")
  void wallClockThatKvmWritesIsLogged(long offset) {
    long from = ClockGuest.SPARE_PAGE + offset;

    clocks.vcpu(1).setMsr(Msr.KVM_WALL_CLOCK_NEW, from);

    BitSet log = vm.getDirtyLog();
    assertLogged(from, log, "the wall clock's first byte");
    assertLogged(from + WallClockWrite.SIZE - 1, log, "the wall clock's last byte");
  }

  @Test
  void pairOfClocksThatKvmWritesIsLogged() {
    long answer =
        clocks
            .guest()
            .pairClocks(clocks.vcpu(0), ClockGuest.SPARE_PAGE, ClockPairing.WALL_CLOCK)
            .value();

    assertEquals(0, answer, "what KVM_HC_CLOCK_PAIRING answers");
    assertLogged(ClockGuest.SPARE_PAGE, vm.getDirtyLog(), "the pair of clocks");
  }

  /**
   * In a VM of its own, and by its vCPU 0: where the guest is Hyper-V's, Linux 5.10 takes every
   * hypercall for one of Hyper-V's, and it writes the page as that vCPU is entered.
   */
  @Test
  @Requires(Requirement.HYPERV_CLOCK)
  void hypervsPageThatKvmWritesIsLogged() {
    try (KvmclockVm hyperv = new KvmclockVm(kvm, 1)) {
      Vcpu vcpu = hyperv.vcpu(0);
      vcpu.setMsr(Msr.HV_X64_MSR_GUEST_OS_ID, HypervTscPageTest.GUEST_OS_ID);
      hyperv.vm().logDirtyPages();
      hyperv.vm().memory().writeLong(ClockGuest.SPARE_PAGE, UNTOUCHED);

      vcpu.setMsr(Msr.HV_X64_MSR_REFERENCE_TSC, ClockGuest.SPARE_PAGE | 1);
      hyperv.runAll();

      assertNotEquals(
          UNTOUCHED,
          hyperv.vm().memory().readLong(ClockGuest.SPARE_PAGE),
          "KVM has not written the reference TSC page: its first eight bytes");
      assertLogged(ClockGuest.SPARE_PAGE, hyperv.vm().getDirtyLog(), "the reference TSC page");
    }
  }

  private static void assertLogged(long gpa, BitSet log, String what) {
    assertTrue(
        log.get(page(gpa)),
        () -> "%s: page 0x%x was written and is not in the log %s".formatted(what, page(gpa), log));
  }

  private static int page(long gpa) {
    return (int) (gpa / GuestMemory.PAGE_SIZE);
  }
}
