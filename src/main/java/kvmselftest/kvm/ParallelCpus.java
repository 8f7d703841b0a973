package kvmselftest.kvm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import kvmselftest.sys.NativeThread;
import kvmselftest.x86.ClockStream;
import kvmselftest.x86.HostTsc;

/** Whether two threads of this machine run at the same time. */
final class ParallelCpus {
  /**
   * For how long the two threads look at each other at most: as long as a busy machine may keep one
   * of them from running.
   */
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  /**
   * How many values of the other's a thread has to see in that time. CPUs that take turns, as an
   * emulator's may, show one a turn, of which there are some hundred in a second; parallel ones
   * show this many in a millisecond.
   */
  private static final long ENOUGH = 3_000;

  private ParallelCpus() {}

  static Optional<String> missing() {
    List<Integer> cpus = NativeThread.allowedCpus();
    if (cpus.size() < 2) {
      return Optional.of("one CPU only: host and guest cannot run at the same time");
    }
    long seen = seen(cpus.getFirst(), cpus.getLast());
    return seen >= ENOUGH
        ? Optional.empty()
        : Optional.of(
            "this machine's CPUs take turns (a thread saw %d values of another in some %d s)"
                .formatted(seen, PATIENCE.toSeconds()));
  }

  private static long seen(int firstCpu, int lastCpu) {
    Arena arena = Arena.ofAuto();
    MemorySegment lines = arena.allocate(2 * ClockStream.LINE_SIZE, ClockStream.LINE_SIZE);
    long one = lines.address();
    long other = one + ClockStream.LINE_SIZE;
    long patience = HostTsc.ticksIn(PATIENCE);
    ClockStream leader = new ClockStream(arena, one, other, 0, 0, patience, ENOUGH);
    ClockStream follower = new ClockStream(arena, other, one, 0, 0, 2 * patience, 0);
    CompletableFuture<Void> followed =
        CompletableFuture.runAsync(() -> run(follower, lastCpu), ParallelCpus::startThread);
    MemorySegment line = lines.asSlice(ClockStream.LINE_SIZE);
    while (ClockStream.clockIn(line) == 0 && !followed.isDone()) {
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
