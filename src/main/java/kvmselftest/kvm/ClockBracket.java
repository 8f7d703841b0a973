package kvmselftest.kvm;

import kvmselftest.x86.CounterWindow;

/**
 * What KVM_GET_CLOCK returned before and after something.
 *
 * @param before the earlier answer
 * @param after the later answer
 */
public record ClockBracket(ClockData before, ClockData after) {
  /** Where kvmclock was in between, ns. */
  public CounterWindow clock() {
    return new CounterWindow(before.clock(), after.clock());
  }
}
