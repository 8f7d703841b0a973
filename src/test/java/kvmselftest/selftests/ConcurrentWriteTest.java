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
  private static final int ROUNDS = 250;

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
     * All threads do something at the same time, again and again.
     *
     * @param what is told the round, from 1
     * @param then what one of them does after each round, while the others wait
     */
    void rounds(int count, BiConsumer<Vcpu, Integer> what, IntConsumer then) {
      AtomicInteger arrived = new AtomicInteger();
      List<CompletableFuture<Void>> begun = new ArrayList<>();
      for (VcpuThread thread : vcpus) {
        begun.add(
            thread.begin(
                vcpu -> {
                  try {
                    for (int round = 1; round <= count; round++) {
                      meet(arrived, 2 * round - 1);
                      what.accept(vcpu, round);
                      meet(arrived, 2 * round);
                      if (vcpu.index() == 0) {
                        then.accept(round);
                      }
                    }
                  } finally {
                    arrived.addAndGet(2 * vcpus.size() * count); // whoever fails lets the others go
                  }
                  return null;
                }));
      }
      for (CompletableFuture<Void> one : begun) {
        VcpuThread.join(one);
      }
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

  /** Both CPUs of a small host at once with 2, and threads that wait for each other with 4. */
  @ParameterizedTest
  @ValueSource(ints = {2, 4})
  void equalOffsetsWrittenAtOnceAreCountedRight(int count, TestReporter reporter) {
    Writers vm = withVcpus(count);
    String expected = ClockData.flagNames(ClockData.ALL_FLAGS);

    vm.rounds(
        ROUNDS,
        (vcpu, round) -> vcpu.setTscOffset(new TscOffset(-1_000_000_000L * round)),
        round ->
            assertEquals(
                expected,
                vm.flagsAfterSetClock(),
                () ->
                    "flags of KVM_GET_CLOCK, KVM_SET_CLOCK before it, round %d of %d vCPUs given the"
                            .formatted(round, count)
                        + " same new offset at once"));

    reporter.publishEntry("%d rounds of %d vCPUs".formatted(ROUNDS, count));
    TscOffset last = new TscOffset(-1_000_000_000L * ROUNDS);
    assertEquals(vm.vcpus.stream().map(_ -> last).toList(), vm.offsets(), "offsets at the end");
    vm.run();
    assertEquals(
        expected,
        ClockData.flagNames(vm.guest.vm().getClock().flags()),
        "flags of KVM_GET_CLOCK after KVM_RUN on each, all given the same offset at once");
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 4})
  void equalTscsWrittenAtOnceAreSynchronised(int count, TestReporter reporter) {
    Writers vm = withVcpus(count);
    String expected = ClockData.flagNames(ClockData.ALL_FLAGS);
    TscOffset[] offsets = new TscOffset[count];
    long[] ends = new long[count];
    long second = vm.vcpus.getFirst().call(Vcpu::getTscKhz) * 1000L;
    AtomicInteger heldUp = new AtomicInteger();

    vm.rounds(
        ROUNDS,
        (vcpu, round) -> {
          long begin = HostTsc.read();
          // Far from what is expected, by more than all rounds take.
          vcpu.setMsr(Msr.IA32_TSC, 10_000 * second * (round % 2 + 1));
          ends[vcpu.index()] = HostTsc.read() - begin;
          offsets[vcpu.index()] = vcpu.getTscOffset();
        },
        round -> {
          for (long took : ends) {
            if (took > second / 2) {
              heldUp.incrementAndGet();
              return;
            }
          }
          for (int i = 1; i < count; i++) {
            assertEquals(
                offsets[0],
                offsets[i],
                "offset of vCPU %d against vCPU 0's, round %d of IA32_TSC written at once"
                    .formatted(i, round));
          }
          assertEquals(
              expected,
              vm.flagsAfterSetClock(),
              () ->
                  "flags of KVM_GET_CLOCK, KVM_SET_CLOCK before it, round %d of %d vCPUs given the"
                          .formatted(round, count)
                      + " same IA32_TSC at once");
        });

    reporter.publishEntry(
        "%d rounds of %d vCPUs, held up in %s of them".formatted(ROUNDS, count, heldUp));
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 4})
  void offsetsThatDifferWrittenAtOnceAreEachVcpusOwn(int count, TestReporter reporter) {
    Writers vm = withVcpus(count);

    vm.rounds(
        ROUNDS,
        (vcpu, round) -> {
          TscOffset own = new TscOffset(-3_000_000_000L * round - vcpu.index());
          vcpu.setTscOffset(own);
          assertEquals(
              own,
              vcpu.getTscOffset(),
              () -> "offset of %s, round %d of differing ones at once".formatted(vcpu, round));
        },
        round ->
            assertEquals(
                ClockData.flagNames(0),
                vm.flagsAfterSetClock(),
                () ->
                    "flags of KVM_GET_CLOCK, KVM_SET_CLOCK before it, round %d of %d vCPUs given"
                            .formatted(round, count)
                        + " offsets that differ at once"));

    reporter.publishEntry("%d rounds of %d vCPUs".formatted(ROUNDS, count));
  }

  /**
   * One thread sets the clock, another gets it: each time it is one that was set, gone on since
   * that call by the host's TSC that KVM_GET_CLOCK says, and neither overtaken before KVM_GET_CLOCK
   * began nor set after it ended.
   */
  @Test
  void clockGotWhileItIsSetIsOneThatWasSet(TestReporter reporter) {
    Writers vm = withVcpus(2);
    vm.rounds(
        1,
        (vcpu, _) -> vcpu.setTscOffset(new TscOffset(-5_000_000_000L)),
        _ -> vm.guest.vm().setClock(ClockData.ofClock(STEP)));
    TimedCalls sets = new TimedCalls();
    TimedCalls gets = new TimedCalls();
    List<TimedCalls.Timed<ClockData>> set = new ArrayList<>();
    List<TimedCalls.Timed<ClockData>> got = new ArrayList<>();
    for (int i = 0; i < 2 * ROUNDS; i++) {
      set.add(sets.setClock(vm.guest.vm(), ClockData.ofClock(STEP * (i + 2))));
      got.add(gets.getClock(vm.guest.vm()));
      got.add(gets.getClock(vm.guest.vm())); // which takes less time
    }
    long khz = vm.vcpus.getFirst().call(Vcpu::getTscKhz);

    vm.rounds(
        1,
        (vcpu, _) -> {
          if (vcpu.index() == 0) {
            sets.make();
          } else {
            gets.make();
          }
        },
        _ -> {});

    int seen = 0;
    int before = -1;
    for (TimedCalls.Timed<ClockData> get : got) {
      int index = (int) (get.value().clock() / STEP) - 2;
      if (index >= 0) {
        assertIsOfSet(get, index, set, khz);
        seen += index != before ? 1 : 0;
      }
      before = index;
    }
    reporter.publishEntry(
        "%d clocks set, %d got, %d different ones among them"
            .formatted(set.size(), got.size(), seen));
  }

  private static void assertIsOfSet(
      TimedCalls.Timed<ClockData> get, int index, List<TimedCalls.Timed<ClockData>> set, long khz) {
    ClockData clock = get.value();
    assertTrue(
        index < set.size() && clock.flags() == ClockData.ALL_FLAGS,
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
