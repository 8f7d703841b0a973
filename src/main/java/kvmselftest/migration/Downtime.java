package kvmselftest.migration;

/** What a guest is to see of the time for which it was paused. */
public enum Downtime {
  /**
   * It has passed: kvmclock and TSC go on by as much as the wall clock did (KVM_CLOCK_REALTIME). If
   * the destination's wall clock is behind the source's, none has.
   */
  COUNTED,
  /** Nothing: kvmclock and TSC go on from where they were. */
  HIDDEN
}
