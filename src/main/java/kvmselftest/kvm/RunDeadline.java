package kvmselftest.kvm;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Stops vCPUs that stay in one KVM_RUN for longer than their VM allows. One daemon thread watches
 * all vCPUs by the number of their current run, so that watching adds two memory writes to a
 * KVM_RUN and nothing to the guest's time.
 */
final class RunDeadline {
  /** How often the vCPUs are looked at, and so how exact a deadline is. */
  private static final long PERIOD_MILLIS = 20;

  private static final Map<Vcpu, Observation> WATCHED = new ConcurrentHashMap<>();

  static {
    Thread.ofPlatform().daemon().name("kvm-run-deadline").start(RunDeadline::watch);
  }

  /** The run that a vCPU was in, and since when. */
  private record Observation(long run, long sinceNanos) {}

  private static final Observation NONE = new Observation(Vcpu.NOT_RUNNING, 0);

  private RunDeadline() {}

  static void add(Vcpu vcpu) {
    WATCHED.put(vcpu, NONE);
  }

  static void remove(Vcpu vcpu) {
    WATCHED.remove(vcpu);
  }

  private static void watch() {
    while (true) {
      try {
        Thread.sleep(PERIOD_MILLIS);
      } catch (InterruptedException e) {
        return; // nobody does this; a daemon that is told to stop stops
      }
      WATCHED.replaceAll((vcpu, seen) -> look(vcpu, seen, System.nanoTime()));
    }
  }

  private static Observation look(Vcpu vcpu, Observation seen, long now) {
    long run = vcpu.currentRun();
    if (run == Vcpu.NOT_RUNNING || run != seen.run) {
      return new Observation(run, now);
    }
    if (now - seen.sinceNanos >= vcpu.vm().runDeadline().toNanos()) {
      stop(vcpu, run);
    }
    return seen;
  }

  /** Comes again at every look until the vCPU has left: a single signal may come too early. */
  private static void stop(Vcpu vcpu, long run) {
    try {
      vcpu.stopRun(run);
    } catch (IllegalStateException closedMeanwhile) {
      // Its kvm_run page is gone: there is nothing left to stop.
    }
  }
}
