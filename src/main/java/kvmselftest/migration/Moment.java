package kvmselftest.migration;

/**
 * What two clocks of a host showed at the same moment: KVM_GET_CLOCK's host_tsc and clock.
 *
 * @param hostTsc the host's TSC, ticks, unsigned
 * @param kvmclock the VM's kvmclock, ns, unsigned
 */
public record Moment(long hostTsc, long kvmclock) {}
