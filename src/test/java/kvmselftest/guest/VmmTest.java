package kvmselftest.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import kvmselftest.Requires;
import kvmselftest.kvm.ClockBracket;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Requirement;
import kvmselftest.kvm.RunDeadlineException;
import kvmselftest.kvm.Vcpu;
import kvmselftest.sys.NativeThread;
import kvmselftest.x86.CounterWindow;
import kvmselftest.x86.HostTsc;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The VMM itself: whatever a guest does, the host learns of it and lives on. */
@Tag("vmm")
@Tag("thorough")
@Requires(Requirement.KVM)
class VmmTest {
  /** What vmm_test.s can do, by the numbers of its table. */
  enum Program {
    SYNC_AND_DONE(0),
    ABORT(1),
    INVALID_OPCODE(2),
    PAGE_FAULT(3),
    GENERAL_PROTECTION(4),
    BAD_STACK(5),
    SPIN(6),
    HALT(7),
    UNEXPECTED_PORT(8),
    UNMAPPED_MEMORY(9),
    TRIPLE_FAULT(10),
    COUNT(11),
    BAD_UCALL(12),
    UNKNOWN_UCALL(13);

    private final long number;

    Program(long number) {
      this.number = number;
    }
  }

  private static final Duration SHORT = Duration.ofMillis(300);

  private final Kvm kvm = Kvm.open();
  private final Guest guest = Guest.load(kvm, GuestBlob.named("vmm_test"));

  @AfterEach
  void close() {
    guest.close();
    kvm.close();
  }

  private Vcpu vcpu(Program program) {
    return guest.createVcpu(0, program.number);
  }

  private static String messageOf(Throwable thrown) {
    return Objects.requireNonNull(thrown.getMessage());
  }

  @Test
  void syncCarriesItsArgumentsAndDoneEnds() {
    Vcpu vcpu = vcpu(Program.SYNC_AND_DONE);
    vcpu.run();
    assertEquals(
        new Ucall.Sync(
            7,
            List.of(
                0x1111111111111111L,
                0x2222222222222222L,
                0x3333333333333333L,
                0x4444444444444444L,
                0x5555555555555555L)),
        Ucall.of(vcpu));
    vcpu.run();
    Ucall.done(vcpu);
  }

  @Test
  void abortCarriesItsMessage() {
    Vcpu vcpu = vcpu(Program.ABORT);
    vcpu.run();
    assertEquals(new Ucall.Abort("three is four", 3, 4), Ucall.of(vcpu));
  }

  @ParameterizedTest
  @CsvSource({
    "INVALID_OPCODE, #UD, 0, 0",
    "PAGE_FAULT, #PF, 2, 0x123", // a write to a page that is not present
    "GENERAL_PROTECTION, #GP, 0, 0",
    "BAD_STACK, #PF, 2, 0xfffffffffffffff8"
  })
  void exceptionIsReported(Program program, String name, long errorCode, String cr2) {
    Vcpu vcpu = vcpu(program);
    vcpu.run();
    Ucall.Unhandled exception = assertInstanceOf(Ucall.Unhandled.class, Ucall.of(vcpu));
    assertEquals(name, exception.name());
    assertEquals(errorCode, exception.errorCode());
    assertTrue(exception.rip() > GuestBlob.LOAD_GPA, () -> "RIP is not in the blob: " + exception);
    if (name.equals("#PF")) {
      assertEquals(Long.parseUnsignedLong(cr2.substring(2), 16), exception.cr2());
    }
  }

  @ParameterizedTest
  @CsvSource({"BAD_UCALL, 'block at 0x20000000'", "UNKNOWN_UCALL, 'not a ucall: [0x4d, '"})
  void ucallThatMakesNoSenseIsRefused(Program program, String expected) {
    Vcpu vcpu = vcpu(program);
    vcpu.run();
    String message = messageOf(assertThrows(GuestFailedException.class, () -> Ucall.of(vcpu)));
    assertTrue(message.contains(expected), message);
  }

  @ParameterizedTest
  @CsvSource({
    "HALT, KVM_EXIT_HLT",
    "UNEXPECTED_PORT, OUT port 0x80 size 1",
    "UNMAPPED_MEMORY, KVM_EXIT_MMIO (read of 8 bytes at GPA 0x20000000)",
    "TRIPLE_FAULT, KVM_EXIT_SHUTDOWN"
  })
  void unexpectedExitIsNamedWithTheRegisters(Program program, String expected) {
    Vcpu vcpu = vcpu(program);
    vcpu.run();
    String message = messageOf(assertThrows(UnexpectedExitException.class, () -> Ucall.of(vcpu)));
    assertTrue(message.startsWith("vCPU 0: unexpected KVM_EXIT_"), message);
    assertTrue(message.contains(expected), message);
    assertTrue(message.contains("; rip "), message);
  }

  @Test
  void guestThatDoesNotExitIsStoppedAtItsDeadline() {
    guest.vm().setRunDeadline(SHORT);
    Vcpu vcpu = vcpu(Program.SPIN);
    for (int i = 0; i < 2; i++) { // and can be run again
      long begin = System.nanoTime();
      String message = messageOf(assertThrows(RunDeadlineException.class, vcpu::run));
      Duration took = Duration.ofNanos(System.nanoTime() - begin);
      assertTrue(took.compareTo(SHORT) >= 0, () -> "stopped after only " + took);
      assertTrue(message.contains("vCPU 0 did not leave KVM_RUN within 300 ms"), message);
    }
  }

  /** As on a KVM that leaves the version odd: each test is to say so, and not to time out. */
  @Test
  void guestDoesNotWaitForEverForAPageToBeWhole() {
    try (ClockGuest clockGuest = ClockGuest.load(kvm)) {
      Vcpu vcpu = clockGuest.createVcpu(0);
      clockGuest.enableKvmclock(vcpu);
      clockGuest.readKvmclock(vcpu);
      clockGuest.vm().memory().write(Guest.pvclockGpa(0), new byte[] {0x43, 0, 0, 0});
      String message =
          messageOf(assertThrows(GuestFailedException.class, () -> clockGuest.readKvmclock(vcpu)));
      assertTrue(
          message.contains("version of the pvclock page, by which KVM never ends writing it: 0x43"),
          message);
    }
  }

  @Test
  void bracketsHoldTheRunAndNothingMuch() {
    Vcpu vcpu = vcpu(Program.COUNT);
    long before = HostTsc.read();
    CounterWindow hostTsc = vcpu.runBetweenHostTscs();
    long after = HostTsc.read();
    assertEquals(0, Ucall.sync(vcpu).stage());
    assertTrue(new CounterWindow(before, after).contains(hostTsc.from()));
    assertTrue(new CounterWindow(hostTsc.from(), after).contains(hostTsc.to()));

    long clockBefore = guest.vm().getClock().clock();
    ClockBracket clock = vcpu.runBetweenGetClocks();
    long clockAfter = guest.vm().getClock().clock();
    assertEquals(1, Ucall.sync(vcpu).stage());
    assertTrue(clockBefore <= clock.before().clock());
    assertTrue(clock.before().clock() < clock.after().clock());
    assertTrue(clock.after().clock() <= clockAfter);
  }

  @Test
  void interruptedRunIsRetried() throws InterruptedException {
    guest.vm().setRunDeadline(SHORT);
    Vcpu vcpu = vcpu(Program.SPIN);
    NativeThread self = NativeThread.current();
    CountDownLatch finished = new CountDownLatch(1);
    Thread disturber =
        Thread.ofPlatform()
            .start(
                () -> {
                  while (finished.getCount() > 0) {
                    self.interruptSystemCall();
                    LockSupport.parkNanos(1_000_000);
                  }
                });
    long begin = System.nanoTime();
    assertThrows(RunDeadlineException.class, vcpu::run);
    Duration took = Duration.ofNanos(System.nanoTime() - begin);
    finished.countDown();
    disturber.join();
    assertTrue(took.compareTo(SHORT) >= 0, () -> "EINTR ended KVM_RUN after only " + took);
  }

  @Test
  void severalVcpusRunEachOnItsOwnThread() throws Exception {
    int vcpus = 4;
    int stages = 50;
    List<FutureTask<Integer>> runs =
        IntStream.range(0, vcpus)
            .mapToObj(index -> new FutureTask<>(() -> count(index, stages)))
            .toList();
    runs.forEach(run -> Thread.ofPlatform().start(run));
    for (FutureTask<Integer> run : runs) {
      assertEquals(stages, run.get());
    }
  }

  private int count(int index, int stages) {
    try (Vcpu vcpu = guest.createVcpu(index, Program.COUNT.number)) {
      for (int stage = 0; stage < stages; stage++) {
        vcpu.run();
        assertEquals(index, Ucall.sync(vcpu, stage).value(0));
      }
      return stages;
    }
  }

  @Test
  void closingVmEndsTheRunOfItsVcpu() throws Exception {
    CountDownLatch created = new CountDownLatch(1);
    FutureTask<String> run =
        new FutureTask<>(
            () -> {
              Vcpu vcpu = vcpu(Program.SPIN);
              created.countDown();
              return assertThrows(IllegalStateException.class, vcpu::run).getMessage();
            });
    Thread.ofPlatform().start(run);
    created.await();
    Thread.sleep(50); // most likely in KVM_RUN by now; right either way
    guest.close();
    String message = run.get();
    assertTrue(message.contains("vCPU 0") && message.contains("closed"), message);
  }

  @Test
  void closingTwiceIsHarmlessAndUseAfterwardsIsRefused() {
    Vcpu vcpu = vcpu(Program.COUNT);
    vcpu.close();
    vcpu.close();
    guest.close();
    guest.close();
    kvm.close();
    kvm.close();
    assertThrows(IllegalStateException.class, vcpu::run);
    assertThrows(IllegalStateException.class, () -> guest.vm().getClock());
    assertThrows(IllegalStateException.class, () -> guest.vm().memory().readLong(0));
    assertThrows(IllegalStateException.class, () -> kvm.createVm(Guest.MEMORY_SIZE));
  }

  @Test
  void vcpuOfAnotherThreadIsRefused() throws Exception {
    Vcpu vcpu = vcpu(Program.COUNT);
    FutureTask<String> use =
        new FutureTask<>(() -> assertThrows(WrongThreadException.class, vcpu::run).getMessage());
    Thread.ofPlatform().name("another").start(use);
    assertTrue(use.get().contains("not another"), use.get());
  }
}
