package kvmselftest.selftests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import kvmselftest.Requires;
import kvmselftest.guest.ClockGuest;
import kvmselftest.guest.VcpuThread;
import kvmselftest.kvm.ClockData;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Requirement;
import kvmselftest.kvm.TimedCalls;
import kvmselftest.kvm.TscOffset;
import kvmselftest.kvm.Vcpu;
import kvmselftest.x86.CounterWindow;
import kvmselftest.x86.HostTsc;
import kvmselftest.x86.Msr;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * TSCs and the clock of one VM, written by several threads at the same time, as a VMM does that
 * restores each vCPU in its own. What KVM keeps for the whole VM (which vCPUs were last written
 * alike, kvmclock's offset and its starting point) it has to read and change as one.
 *
 * <p>Also on one CPU, where the threads take turns; but then there is little to be seen.
 */
@Tag("selftest")
@Requires({
  Requirement.KVM,
  Requirement.TSC_OFFSET,
  Requirement.TSC_CLOCKSOURCE,
  Requirement.CLOCK_REALTIME
})
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ConcurrentWriteTest {
  /** The most rounds, if they do not take too long. */
  private static final int ROUNDS = 250;

  /** How long the rounds of a test may take, ns, after those that load its code. */
  private static final long NANOS = 60_000_000;

  private static final int FIRST_ROUNDS = 5;

  /** More arrivals than all rounds need. */
  private static final int GONE = 1 << 20;

  /** Clocks that are set in a row. */
  private static final int CLOCKS = 60;

  /** kvmclock, ns, from one KVM_SET_CLOCK to the next: 4.9 hours. */
  private static final long STEP = 1L << 44;

  private final Kvm kvm = Kvm.open();
  private final List<Writers> vms = new ArrayList<>();

  /** A VM whose vCPUs have a thread each. */
  private record Writers(ClockGuest guest, List<VcpuThread> vcpus) implements AutoCloseable {
    static Writers start(Kvm kvm, int count) {
      ClockGuest guest = ClockGuest.load(kvm);
      return new Writers(
          guest, IntStream.range(0, count).mapToObj(i -> VcpuThread.start(guest, i)).toList());
    }

    /**
     * All threads do something at the same time, again and again, until the time is up: where CPUs
     * are scarce they mostly wait for each other.
     *
     * @param what is told the round, from 1
     * @param then what one of them does after each round, while the others wait
     * @return how many rounds it was
     */
    int rounds(BiConsumer<Vcpu, Integer> what, IntConsumer then) {
      AtomicInteger arrived = new AtomicInteger();
      AtomicInteger done = new AtomicInteger();
      List<CompletableFuture<Void>> begun = new ArrayList<>();
      for (VcpuThread thread : vcpus) {
        begun.add(
            thread.begin(
                vcpu -> {
                  long begin = 0;
                  try {
                    for (int round = 1; done.get() == 0; round++) {
                      meet(arrived, 3 * round - 2);
                      what.accept(vcpu, round);
                      meet(arrived, 3 * round - 1);
                      if (vcpu.index() == 0) {
                        then.accept(round);
                        begin = round <= FIRST_ROUNDS ? System.nanoTime() : begin;
                        boolean last = round == ROUNDS || System.nanoTime() - begin > NANOS;
                        done.set(last ? round : 0);
                      }
                      meet(arrived, 3 * round);
                    }
                  } finally {
                    done.compareAndSet(0, GONE); // whoever fails lets the others go, and end
                    arrived.addAndGet(GONE);
                  }
                  return null;
                }));
      }
      for (CompletableFuture<Void> one : begun) {
        VcpuThread.join(one);
      }
      return done.get();
    }

    /** By turning round, since a thread that sleeps wakes up too late to be at the same time. */
    @SuppressWarnings("ThreadPriorityCheck") // nothing but time depends on the scheduler
    private void meet(AtomicInteger arrived, int times) {
      arrived.incrementAndGet();
      while (arrived.get() < times * vcpus.size()) {
        Thread.yield(); // on one CPU the others have to come here too
      }
    }

    List<TscOffset> offsets() {
      return vcpus.stream().map(thread -> thread.call(Vcpu::getTscOffset)).toList();
    }

    /** By KVM_SET_CLOCK, at which KVM looks whether all vCPUs were written alike. */
    String flagsAfterSetClock() {
      guest.vm().setClock(ClockData.ofClock(STEP));
      return ClockData.flagNames(guest.vm().getClock().flags());
    }

    void run() {
      vcpus.forEach(thread -> thread.run(guest::run));
    }

    @Override
    public void close() {
      vcpus.forEach(VcpuThread::close);
      guest.close();
    }
  }

  @AfterAll
  void close() {
    vms.forEach(Writers::close);
    kvm.close();
  }

  private Writers withVcpus(int count) {
    for (Writers vm : vms) {
      if (vm.vcpus.size() == count) {
        return vm;
      }
    }
    Writers made = Writers.start(kvm, count);
    vms.add(made);
    return made;
  }

  /** Both CPUs of a small host at once with 2, and more than it has with 4. */
  @ParameterizedTest
  @ValueSource(ints = {2, 4})
  void equalOffsetsWrittenAtOnceAreCountedRight(int count, TestReporter reporter) {
    Writers vm = withVcpus(count);
    String expected = ClockData.flagNames(ClockData.ALL_FLAGS);

    int rounds =
        vm.rounds(
            (vcpu, round) -> vcpu.setTscOffset(new TscOffset(-1_000_000_000L * round)),
            round ->
                assertEquals(
                    expected,
                    vm.flagsAfterSetClock(),
                    () ->
                        "flags after KVM_SET_CLOCK, round %d of the same new offset on %d vCPUs"
                            .formatted(round, count)));

    reporter.publishEntry("%d rounds of %d vCPUs".formatted(rounds, count));
    TscOffset last = new TscOffset(-1_000_000_000L * rounds);
    assertEquals(vm.vcpus.stream().map(_ -> last).toList(), vm.offsets(), "offsets at the end");
    vm.run();
    assertEquals(
        expected,
        ClockData.flagNames(vm.guest.vm().getClock().flags()),
        "flags of KVM_GET_CLOCK after KVM_RUN on each, all given the same offset at once");
  }

  @Test
  void equalTscsWrittenAtOnceAreSynchronised(TestReporter reporter) {
    Writers vm = withVcpus(2);
    String expected = ClockData.flagNames(ClockData.ALL_FLAGS);
    long second = vm.vcpus.getFirst().call(Vcpu::getTscKhz) * 1000L;
    TscOffset[] offsets = new TscOffset[2];
    long[] begins = new long[2];
    long[] ends = new long[2];
    AtomicInteger heldUp = new AtomicInteger();

    int rounds =
        vm.rounds(
            (vcpu, round) -> {
              int index = vcpu.index();
              begins[index] = HostTsc.read();
              // Far from what is expected, by more than all rounds take.
              vcpu.setMsr(Msr.IA32_TSC, 10_000 * second * (round % 2 + 1));
              ends[index] = HostTsc.read();
              offsets[index] = vcpu.getTscOffset();
            },
            round -> {
              long took = Math.max(ends[0], ends[1]) - Math.min(begins[0], begins[1]);
              if (took > second / 2) { // they need not be taken for synchronised
                heldUp.incrementAndGet();
                return;
              }
              assertEquals(
                  offsets[0],
                  offsets[1],
                  () ->
                      "offsets, round %d of the same new IA32_TSC on 2 vCPUs within %d ticks"
                          .formatted(round, took));
              assertEquals(
                  expected,
                  vm.flagsAfterSetClock(),
                  () ->
                      "flags after KVM_SET_CLOCK, round %d of the same new IA32_TSC on 2 vCPUs"
                          .formatted(round));
            });

    reporter.publishEntry("%d rounds of 2 vCPUs, held up in %s of them".formatted(rounds, heldUp));
  }

  @Test
  void offsetsThatDifferWrittenAtOnceAreEachVcpusOwn(TestReporter reporter) {
    Writers vm = withVcpus(2);

    int rounds =
        vm.rounds(
            (vcpu, round) -> {
              TscOffset own = new TscOffset(-3_000_000_000L * round - vcpu.index());
              vcpu.setTscOffset(own);
              assertEquals(
                  own,
                  vcpu.getTscOffset(),
                  () -> "offset of %s, round %d of differing ones".formatted(vcpu, round));
            },
            round ->
                assertEquals(
                    ClockData.flagNames(KvmclockVm.flagsOfUnequalOffsets()),
                    vm.flagsAfterSetClock(),
                    () ->
                        "flags after KVM_SET_CLOCK, round %d of differing offsets on 2 vCPUs"
                            .formatted(round)));

    reporter.publishEntry("%d rounds of 2 vCPUs".formatted(rounds));
  }

  /**
   * One thread sets the clock, another gets it: each time it is one that was set, gone on since
   * that call by the host's TSC that KVM_GET_CLOCK says, and neither overtaken before KVM_GET_CLOCK
   * began nor set after it ended.
   */
  @Test
  void clockGotWhileItIsSetIsOneThatWasSet(TestReporter reporter) {
    Writers vm = withVcpus(2);
    for (int i = 0; i < 2; i++) { // with the master clock, which takes all to be written alike
      vm.vcpus.forEach(thread -> thread.run(vcpu -> vcpu.setTscOffset(new TscOffset(-5))));
    }
    long khz = vm.vcpus.getFirst().call(Vcpu::getTscKhz);
    ClocksSetAndGot[] clocks = {new ClocksSetAndGot(vm)};
    AtomicInteger changes = new AtomicInteger();

    int rounds =
        vm.rounds(
            (vcpu, _) -> clocks[0].make(vcpu),
            _ -> {
              changes.addAndGet(clocks[0].assertGotAreOfSet(khz));
              clocks[0] = new ClocksSetAndGot(vm);
            });

    reporter.publishEntry(
        "%d times %d clocks set and %d got; changed %s times between two that were got"
            .formatted(rounds, CLOCKS, 2 * CLOCKS, changes));
  }

  /** Clocks that one thread sets in a row, while another gets the clock. */
  private static final class ClocksSetAndGot {
    /** Of the clock that is set before any of those in a row, and is right to be got as well. */
    private static final int BEFORE_THE_FIRST = -1;

    private final TimedCalls sets = new TimedCalls();
    private final TimedCalls gets = new TimedCalls();
    private final List<TimedCalls.Timed<ClockData>> set = new ArrayList<>();
    private final List<TimedCalls.Timed<ClockData>> got = new ArrayList<>();

    ClocksSetAndGot(Writers vm) {
      vm.guest.vm().setClock(ClockData.ofClock(STEP));
      for (int i = 0; i < CLOCKS; i++) {
        set.add(sets.setClock(vm.guest.vm(), ClockData.ofClock(STEP * (i + 2))));
        got.add(gets.getClock(vm.guest.vm()));
        got.add(gets.getClock(vm.guest.vm())); // which takes less time
      }
    }

    void make(Vcpu vcpu) {
      (vcpu.index() == 0 ? sets : gets).make();
    }

    /** How often the clock changed between two that were got. */
    int assertGotAreOfSet(long khz) {
      int changes = 0;
      int before = -1;
      for (TimedCalls.Timed<ClockData> get : got) {
        int index = (int) Long.divideUnsigned(get.value().clock(), STEP) - 2;
        if (index != BEFORE_THE_FIRST) {
          assertIsOfSet(get, index, set, khz);
        }
        changes += index == before ? 0 : 1;
        before = index;
      }
      return changes;
    }
  }

  private static void assertIsOfSet(
      TimedCalls.Timed<ClockData> get, int index, List<TimedCalls.Timed<ClockData>> set, long khz) {
    ClockData clock = get.value();
    assertTrue(
        index >= 0 && index < set.size() && clock.flags() == ClockData.ALL_FLAGS,
        () -> "KVM_GET_CLOCK: %s; expected all flags and a clock that was set".formatted(clock));
    CounterWindow setCall = set.get(index).hostTsc();
    // KVM takes the host's TSC from which the clock goes on within KVM_SET_CLOCK.
    long least = clock.hostTsc() - setCall.to();
    long most = clock.hostTsc() - setCall.from();
    // It may take the frequency from before the kernel refined it, by 1 % at most
    // (arch/x86/kernel/tsc.c), and rounds down.
    long goneOn = clock.clock() - set.get(index).value().clock();
    boolean overtaken =
        index + 1 < set.size() && set.get(index + 1).hostTsc().to() - get.hostTsc().from() < 0;
    String observation =
        "KVM_GET_CLOCK at host TSC %s: %s; %d ns after KVM_SET_CLOCK number %d at host TSC %s"
            .formatted(get.hostTsc(), clock, goneOn, index, setCall);
    assertTrue(
        goneOn >= Math.max(least, 0) * 990_000 / khz - 2
            && goneOn <= Math.max(most, 0) * 1_010_000 / khz + 2,
        () -> observation + ": expected %d to %d ticks' worth of ns".formatted(least, most));
    assertTrue(
        get.hostTsc().to() - setCall.from() >= 0 && !overtaken,
        () -> observation + ": was not the clock at any moment of KVM_GET_CLOCK");
  }
}
