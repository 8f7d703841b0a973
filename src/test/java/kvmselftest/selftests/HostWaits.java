package kvmselftest.selftests;

import java.time.Duration;
import java.util.List;
import kvmselftest.sys.NativeThread;
import kvmselftest.sys.SyscallException;

/**
 * Timed waits of the host's own, one after the other on each CPU that the calling thread may run
 * on: how late the host's timers are meanwhile. KVM's timers are timers of the host's, as a rule on
 * the CPU that the vCPU last ran on, so that one that does not fire says nothing of KVM while the
 * host's on that CPU do not fire either: an emulator whose main loop is held up has CPUs that go on
 * and timers that stand still, and one that loses a timer interrupt has one such CPU.
 */
final class HostWaits implements AutoCloseable {
  private static final Duration EACH = Duration.ofMillis(10);

  private final List<Waiter> waiters;

  private HostWaits(List<Waiter> waiters) {
    this.waiters = waiters;
  }

  static HostWaits begin() {
    List<Waiter> waiters = NativeThread.allowedCpus().stream().map(Waiter::new).toList();
    waiters.forEach(waiter -> waiter.thread.start());
    return new HostWaits(waiters);
  }

  /** How late the latest was, or one that has not ended is by now. */
  Duration latest() {
    return waiters.stream().map(Waiter::latest).max(Duration::compareTo).orElseThrow();
  }

  @Override
  public void close() {
    waiters.forEach(waiter -> waiter.thread.interrupt());
  }

  private static final class Waiter {
    private final int cpu;
    private final Thread thread;
    private volatile long begin;
    private volatile boolean pinned;
    private volatile long latest; // ns, of those that have ended

    private Waiter(int cpu) {
      this.cpu = cpu;
      this.thread = Thread.ofPlatform().daemon().name("host-waits-" + cpu).unstarted(this::go);
    }

    private void go() {
      try {
        NativeThread.allowCpus(List.of(cpu));
        begin = System.nanoTime();
        pinned = true;
        while (true) {
          Thread.sleep(EACH);
          long end = System.nanoTime();
          latest = Math.max(latest, late(end));
          begin = end;
        }
      } catch (InterruptedException e) {
        // closed
      } catch (SyscallException e) {
        // That CPU has gone, and this has nothing to say.
      }
    }

    private long late(long now) {
      return now - begin - EACH.toNanos();
    }

    private Duration latest() {
      return pinned ? Duration.ofNanos(Math.max(latest, late(System.nanoTime()))) : Duration.ZERO;
    }
  }
}
