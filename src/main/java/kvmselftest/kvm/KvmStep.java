package kvmselftest.kvm;

import java.lang.foreign.MemorySegment;
import java.util.List;
import kvmselftest.sys.IoctlSequence;
import org.jspecify.annotations.Nullable;

/** An ioctl to be made as one of several in a row. */
record KvmStep(KvmFd fd, Ioctl ioctl, MemorySegment argument) {
  IoctlSequence.Step step() {
    return fd.sequenceStep(ioctl, argument);
  }

  /**
   * Tells {@link ClockTrace} of the steps of a sequence that were made: those up to one that
   * failed.
   *
   * @param steps null for what is no ioctl
   * @param from the first that was made
   * @param last the host's TSC after the last, ticks
   */
  static void trace(
      List<? extends @Nullable KvmStep> steps, IoctlSequence sequence, int from, long last) {
    if (!ClockTrace.isOn()) {
      return;
    }
    boolean failed = false;
    for (int i = from; i < steps.size() && !failed; i++) {
      failed = sequence.result(i) < 0;
      boolean isLast = failed || i + 1 == steps.size();
      KvmStep step = steps.get(i);
      if (step != null) {
        long after = isLast ? last : sequence.tscBefore(i + 1);
        step.fd.trace(
            step.ioctl, step.argument, 0, sequence.result(i), sequence.tscBefore(i), after, true);
      }
    }
  }
}
