package kvmselftest.kvm;

import java.util.List;
import java.util.stream.Stream;
import kvmselftest.sys.Errno;
import kvmselftest.sys.IoctlSequence;
import kvmselftest.sys.SyscallException;

/**
 * A KVM_RUN with other ioctls around it. When it is retried after EINTR, the guest may have looked
 * at its counters already: what was before stays what it was before the first attempt.
 */
final class BracketedRun {
  private final List<KvmStep> steps;
  private final IoctlSequence sequence;
  private final int runIndex;
  private final int size;
  private boolean attempted;
  private long tscBefore;
  private long tscAfter;

  BracketedRun(List<KvmStep> before, KvmStep run, List<KvmStep> after) {
    steps = Stream.of(before, List.of(run), after).flatMap(List::stream).toList();
    sequence = new IoctlSequence(steps.stream().map(KvmStep::step).toList());
    runIndex = before.size();
    size = steps.size();
  }

  /** To be called before the first attempt at each run. */
  void begin() {
    attempted = false;
  }

  /**
   * What KVM_RUN returned: 0, or {@code -errno}.
   *
   * @throws SyscallException if another of the ioctls fails
   */
  int attempt() {
    int from = attempted ? runIndex : 0;
    tscAfter = sequence.call(from);
    KvmStep.trace(steps, sequence, from, tscAfter);
    requireDone(from, runIndex);
    if (!attempted) {
      tscBefore = sequence.tscBefore(runIndex);
      attempted = true;
    }
    int result = sequence.result(runIndex);
    if (result >= 0) {
      requireDone(runIndex + 1, size);
    }
    return result;
  }

  private void requireDone(int from, int to) {
    for (int i = from; i < to; i++) {
      int result = sequence.result(i);
      if (result < 0) {
        throw new SyscallException("ioctl " + i + " of those around KVM_RUN", new Errno(-result));
      }
    }
  }

  /** The host's TSC before KVM_RUN, ticks. */
  long tscBefore() {
    return tscBefore;
  }

  /** The host's TSC after the last ioctl, ticks. */
  long tscAfter() {
    return tscAfter;
  }
}
