package kvmselftest.kvm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import kvmselftest.sys.NativeThread;
import kvmselftest.x86.ClockStream;

/** Whether two threads of this machine run at the same time. */
final class ParallelCpus {
  /** How long the two threads talk to each other, TSC ticks: some 10 ms. */
  private static final long TICKS = 30_000_000;

  /** For how long one waits for the other to begin, TSC ticks: some 3 s. */
  private static final long PATIENCE = 10_000_000_000L;

  /**
   * How many values of the other's a thread has to see. CPUs that take turns, as an emulator's may,
   * show one a turn, of which there are a few in that time; parallel ones show thousands.
   */
  private static final long ENOUGH = 200;

  /** A busy machine may keep one of the two from running for one of them. */
  private static final int ROUNDS = 20;

  private ParallelCpus() {}

  static Optional<String> missing() {
    List<Integer> cpus = NativeThread.allowedCpus();
    if (cpus.size() < 2) {
      return Optional.of("one CPU only: host and guest cannot run at the same time");
    }
    long most = 0;
    for (int round = 0; round < ROUNDS && most < ENOUGH; round++) {
      most = Math.max(most, seen(cpus.getFirst(), cpus.getLast()));
    }
    return most >= ENOUGH
        ? Optional.empty()
        : Optional.of(
            "this machine's CPUs take turns (a thread saw %d values of another in some 10 ms)"
                .formatted(most));
  }

  private static long seen(int firstCpu, int lastCpu) {
    Arena arena = Arena.ofAuto();
    MemorySegment lines = arena.allocate(2 * ClockStream.LINE_SIZE, ClockStream.LINE_SIZE);
    long one = lines.address();
    long other = one + ClockStream.LINE_SIZE;
    ClockStream leader = new ClockStream(arena, one, other, 0, 0, TICKS, true);
    ClockStream follower = new ClockStream(arena, other, one, 0, 0, PATIENCE, false);
    CompletableFuture<Void> followed =
        CompletableFuture.runAsync(() -> run(follower, lastCpu), ParallelCpus::startThread);
    while (!leader.otherHasBegun(lines.asSlice(ClockStream.LINE_SIZE)) && !followed.isDone()) {
      Thread.onSpinWait();
    }
    CompletableFuture.runAsync(() -> run(leader, firstCpu), ParallelCpus::startThread).join();
    followed.join();
    return leader.changes();
  }

  private static void startThread(Runnable task) {
    Thread.ofPlatform().daemon().name("parallel-cpus").start(task);
  }

  private static void run(ClockStream side, int cpu) {
    NativeThread.allowCpus(List.of(cpu));
    side.runOnHost();
  }
}
