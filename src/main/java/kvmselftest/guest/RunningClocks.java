package kvmselftest.guest;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import kvmselftest.sys.NativeThread;
import kvmselftest.x86.ClockStream;
import kvmselftest.x86.ErrorBounds;
import kvmselftest.x86.HostTsc;
import kvmselftest.x86.PvclockPage;

/**
 * Compares the clock of a vCPU that runs with the host's or with that of another vCPU that runs,
 * without an exit in between ({@link ClockStream}). Each side is kept on a CPU of its own, and on
 * the other one at the next comparison: what KVM does when a vCPU moves is looked at too.
 *
 * <p>The vCPUs are those of one guest; one comparison at a time.
 */
public final class RunningClocks {
  /**
   * How long an attempt takes at most, ticks. It is over in a hundredth of that, unless the machine
   * is too busy to let both sides run.
   */
  private static final long PATIENCE = HostTsc.ticksIn(Duration.ofMillis(400));

  /** How many values make a comparison worth having; on a busy machine there may be no more. */
  private static final long SOME = 200;

  /** After how many attempts a machine is too busy. */
  private static final int ATTEMPTS = 50;

  private static final int HOST = -1;

  /** CPUs that this process may use: at least two, as Requirement.PARALLEL_CPUS has it. */
  private static final List<Integer> CPUS = NativeThread.allowedCpus();

  private final ClockGuest guest;
  private final long enough;
  private boolean swapped;

  /**
   * @param enough how many values of the other's clock a side is to see in each comparison
   */
  public RunningClocks(ClockGuest guest, long enough) {
    this.guest = guest;
    this.enough = enough;
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
    MemorySegment hostLine = guest.lineOf(HOST);
    MemorySegment guestLine = guest.lineOf(vcpu.index());
    return compare(
        unit,
        vcpu,
        guest.streamSide(vcpu.index(), HOST, hostPvclock != 0, ahead, 2 * PATIENCE, 0),
        new ClockStream(
            Arena.ofAuto(),
            hostLine.address(),
            guestLine.address(),
            hostPvclock,
            -ahead,
            PATIENCE,
            enough),
        HOST,
        (side, cpu) -> onCpu(cpu, side::runOnHost));
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

  /**
   * As {@link #kvmclockBetween}, while the caller goes on with something else.
   *
   * @param meanwhile done at least once, and again until the comparison is over
   */
  public ErrorBounds kvmclockBetween(VcpuThread one, VcpuThread other, Runnable meanwhile) {
    return compare(
        "ns",
        one,
        guest.streamSide(one.index(), other.index(), true, 0, 2 * PATIENCE, 0),
        guest.streamSide(other.index(), one.index(), true, 0, PATIENCE, enough),
        other.index(),
        (_, cpu) -> {
          CompletableFuture<Void> running = begin(other, cpu);
          do {
            meanwhile.run();
          } while (!running.isDone());
          VcpuThread.join(running);
        });
  }

  private ErrorBounds between(
      VcpuThread one, VcpuThread other, boolean kvmclock, long ahead, String unit) {
    return compare(
        unit,
        one,
        guest.streamSide(one.index(), other.index(), kvmclock, ahead, 2 * PATIENCE, 0),
        guest.streamSide(other.index(), one.index(), kvmclock, -ahead, PATIENCE, enough),
        other.index(),
        (_, cpu) -> VcpuThread.join(begin(other, cpu)));
  }

  /** How the side that ends the stream is run to its end, on a CPU. */
  private interface Leader {
    void run(ClockStream side, int cpu);
  }

  private ErrorBounds compare(
      String unit,
      VcpuThread vcpu,
      ClockStream follower,
      ClockStream leader,
      int leaderIndex,
      Leader leading) {
    ErrorBounds bounds = new ErrorBounds(unit);
    for (int attempt = 0; bounds.samples() < SOME; attempt++) {
      if (attempt == ATTEMPTS) {
        throw new GuestFailedException(
            "no verdict: this machine is too busy to let two sides run at the same time; %s"
                .formatted(bounds));
      }
      swapped = !swapped;
      guest.lineOf(leaderIndex).fill((byte) 0);
      guest.lineOf(vcpu.index()).fill((byte) 0);
      CompletableFuture<Void> running = begin(vcpu, cpu(swapped));
      awaitBegun(guest.lineOf(vcpu.index()), running);
      leading.run(leader, cpu(!swapped));
      VcpuThread.join(running);
      if (follower.changes() != 0 && leader.changes() != 0) {
        // Each side says by how little it was ahead: the one's error is the other's, negated.
        bounds.add(-leader.smallest(), follower.smallest(), follower.changes() + leader.changes());
      }
    }
    return bounds;
  }

  private static int cpu(boolean first) {
    return first ? CPUS.getFirst() : CPUS.getLast();
  }

  private CompletableFuture<Void> begin(VcpuThread vcpu, int cpu) {
    return vcpu.begin(
        running -> {
          onCpu(cpu, () -> guest.stream(running));
          return null;
        });
  }

  private static void awaitBegun(MemorySegment line, CompletableFuture<Void> side) {
    while (ClockStream.clockIn(line) == 0 && !side.isDone()) {
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
}
