package kvmselftest.selftests;

import java.time.Duration;

/**
 * Timed waits of the host's own, one after the other on a thread of their own: how late the host's
 * timers are meanwhile. KVM's timers are timers of the host's, so that one that does not fire says
 * nothing of KVM while the host's do not fire either: an emulator whose main loop is held up has
 * CPUs that go on and timers that stand still.
 */
final class HostWaits implements AutoCloseable {
  private static final Duration EACH = Duration.ofMillis(10);

  private final Thread thread = Thread.ofPlatform().daemon().name("host-waits").unstarted(this::go);
  private volatile long begin = System.nanoTime();
  private volatile long latest; // ns, of those that have ended

  private HostWaits() {}

  static HostWaits begin() {
    HostWaits waits = new HostWaits();
    waits.thread.start();
    return waits;
  }

  private void go() {
    try {
      while (true) {
        Thread.sleep(EACH);
        long end = System.nanoTime();
        latest = Math.max(latest, late(end));
        begin = end;
      }
    } catch (InterruptedException e) {
      // closed
    }
  }

  private long late(long now) {
    return now - begin - EACH.toNanos();
  }

  /** How late the latest was, or the one that has not ended is by now. */
  Duration latest() {
    return Duration.ofNanos(Math.max(latest, late(System.nanoTime())));
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
