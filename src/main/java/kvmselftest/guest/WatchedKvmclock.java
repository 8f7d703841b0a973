package kvmselftest.guest;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import kvmselftest.x86.ClockStream;
import kvmselftest.x86.HostTsc;

/**
 * kvmclock of a vCPU that runs and reads it again and again, as its host sees it without an exit.
 * Closing it lets the vCPU come to its ucall.
 */
public final class WatchedKvmclock implements AutoCloseable {
  private static final int HOST = -1;

  /** How long the vCPU goes on if nobody closes this, ticks. */
  private static final long PATIENCE = HostTsc.ticksIn(Duration.ofSeconds(3));

  private final MemorySegment hostLine;
  private final MemorySegment guestLine;
  private final CompletableFuture<Void> running;

  private WatchedKvmclock(
      MemorySegment hostLine, MemorySegment guestLine, CompletableFuture<Void> running) {
    this.hostLine = hostLine;
    this.guestLine = guestLine;
    this.running = running;
  }

  /** Lets the vCPU run, and returns when it has read its clock. */
  public static WatchedKvmclock start(ClockGuest guest, VcpuThread vcpu) {
    MemorySegment hostLine = guest.lineOf(HOST);
    MemorySegment guestLine = guest.lineOf(vcpu.index());
    hostLine.fill((byte) 0);
    guestLine.fill((byte) 0);
    guest.streamSide(vcpu.index(), HOST, true, 0, PATIENCE, 0);
    CompletableFuture<Void> running =
        vcpu.begin(
            owned -> {
              guest.stream(owned);
              return null;
            });
    WatchedKvmclock watched = new WatchedKvmclock(hostLine, guestLine, running);
    while (ClockStream.clockIn(guestLine) == 0 && !running.isDone()) {
      Thread.onSpinWait();
    }
    return watched;
  }

  /**
   * What the guest has read.
   *
   * @param nanos kvmclock
   * @param notBefore the guest's TSC when it read it, or one from before that
   */
  public record Reading(long nanos, long notBefore) {}

  public Reading latest() {
    long tsc = ClockStream.tscIn(guestLine);
    return new Reading(ClockStream.clockIn(guestLine), tsc);
  }

  /** False once the vCPU has left its loop. */
  public boolean isRunning() {
    return !running.isDone();
  }

  @Override
  public void close() {
    ClockStream.stop(hostLine);
    VcpuThread.join(running);
  }
}
