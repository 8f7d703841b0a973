package kvmselftest.guest;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import kvmselftest.sys.NativeThread;
import kvmselftest.x86.ClockStream;
import kvmselftest.x86.ErrorBounds;
import kvmselftest.x86.PvclockPage;

/**
 * Compares the clock of a vCPU that runs with the host's or with that of another vCPU that runs,
 * without an exit in between ({@link ClockStream}). Each side is kept on a CPU of its own.
 *
 * <p>The vCPUs are those of one guest; one comparison at a time.
 */
public final class RunningClocks {
  /** For how long a side waits for the other at most, TSC ticks: some 3 s. */
  private static final long PATIENCE = 10_000_000_000L;

  private static final int HOST = -1;

  /** CPUs that this process may use: at least two, as Requirement.PARALLEL_CPUS has it. */
  private static final List<Integer> CPUS = NativeThread.allowedCpus();

  private final ClockGuest guest;
  private final long ticks;

  /**
   * @param ticks how long each comparison takes, TSC ticks
   */
  public RunningClocks(ClockGuest guest, long ticks) {
    this.guest = guest;
    this.ticks = ticks;
  }

  /**
   * How far the vCPU's TSC is from the host's plus an offset, ticks.
   *
   * @param offset what the vCPU's TSC is to be ahead of the host's
   */
  public ErrorBounds tscAgainstHost(VcpuThread vcpu, long offset) {
    return againstHost(vcpu, offset, 0, "ticks");
  }

  /**
   * How far kvmclock, as the vCPU computes it from its page, is from what the host computes by a
   * structure of its own, ns.
   *
   * @param expected gives kvmclock for the host's TSC
   */
  public ErrorBounds kvmclockAgainstHost(VcpuThread vcpu, PvclockPage expected) {
    MemorySegment page = Arena.ofAuto().allocate(PvclockPage.SIZE, Long.BYTES);
    expected.write(page);
    return againstHost(vcpu, 0, page.address(), "ns");
  }

  private ErrorBounds againstHost(VcpuThread vcpu, long ahead, long hostPvclock, String unit) {
    clearLines(HOST, vcpu.index());
    ClockStream inGuest =
        guest.streamSide(vcpu.index(), HOST, hostPvclock != 0, ahead, PATIENCE, false);
    MemorySegment hostLine = guest.lineOf(HOST);
    MemorySegment guestLine = guest.lineOf(vcpu.index());
    ClockStream onHost =
        new ClockStream(
            Arena.ofAuto(),
            hostLine.address(),
            guestLine.address(),
            hostPvclock,
            -ahead,
            ticks,
            true);
    CompletableFuture<Void> running = begin(vcpu, CPUS.getLast());
    awaitBegun(onHost, guestLine, running);
    onCpu(CPUS.getFirst(), onHost::runOnHost);
    VcpuThread.join(running);
    return bounds(inGuest, onHost, unit);
  }

  /**
   * How far one vCPU's TSC is from another's plus a difference, ticks.
   *
   * @param ahead what the first one's TSC is to be ahead of the other's
   */
  public ErrorBounds tscBetween(VcpuThread one, VcpuThread other, long ahead) {
    return between(one, other, false, ahead, "ticks");
  }

  /** How far one vCPU's kvmclock is from another's, ns. */
  public ErrorBounds kvmclockBetween(VcpuThread one, VcpuThread other) {
    return between(one, other, true, 0, "ns");
  }

  private ErrorBounds between(
      VcpuThread one, VcpuThread other, boolean kvmclock, long ahead, String unit) {
    clearLines(one.index(), other.index());
    ClockStream first =
        guest.streamSide(one.index(), other.index(), kvmclock, ahead, PATIENCE, false);
    ClockStream second =
        guest.streamSide(other.index(), one.index(), kvmclock, -ahead, ticks, true);
    CompletableFuture<Void> running = begin(one, CPUS.getLast());
    awaitBegun(second, guest.lineOf(one.index()), running);
    VcpuThread.join(begin(other, CPUS.getFirst()));
    VcpuThread.join(running);
    return bounds(first, second, unit);
  }

  private void clearLines(int... sides) {
    for (int side : sides) {
      guest.lineOf(side).fill((byte) 0);
    }
  }

  private CompletableFuture<Void> begin(VcpuThread vcpu, int cpu) {
    return vcpu.begin(
        running -> {
          onCpu(cpu, () -> guest.stream(running));
          return null;
        });
  }

  private static void awaitBegun(
      ClockStream side, MemorySegment otherLine, CompletableFuture<Void> other) {
    while (!side.otherHasBegun(otherLine) && !other.isDone()) {
      Thread.onSpinWait();
    }
  }

  private static void onCpu(int cpu, Runnable what) {
    NativeThread.allowCpus(List.of(cpu));
    try {
      what.run();
    } finally {
      NativeThread.allowCpus(CPUS);
    }
  }

  /** Each side says by how little it was ahead: the one's error is the other's with its sign. */
  private static ErrorBounds bounds(ClockStream one, ClockStream other, String unit) {
    if (one.changes() == 0 || other.changes() == 0) {
      throw new GuestFailedException(
          "two sides that should run at the same time did not see each other's clock");
    }
    ErrorBounds bounds = new ErrorBounds(unit);
    bounds.add(-other.smallest(), one.smallest());
    return bounds.ofSamples(one.changes() + other.changes());
  }
}
