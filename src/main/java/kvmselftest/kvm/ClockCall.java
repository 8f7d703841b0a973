package kvmselftest.kvm;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An ioctl that reads or changes a clock, as it was made; one of several MSRs is one for each.
 *
 * @param hostTsc the host's TSC just before, ticks
 * @param hostTscAfter and just after
 * @param exact whether nothing but the call is between the two: they were read by machine code
 *     ({@link TimedCalls}); otherwise some of the JVM's work is, too
 * @param operation the ioctl's name, and what it is about (an MSR, an attribute)
 * @param vm the number of the VM in this process, from 1; 0 for none
 * @param vcpu the vCPU's index; -1 for none
 * @param values the values passed or got, by {@code tsc} (ticks), {@code offset} (ticks), {@code
 *     ns}, {@code khz} or another name
 * @param writesTsc whether it sets the vCPU's TSC, by whatever means
 * @param error the errno by name; null if the kernel did as asked
 */
public record ClockCall(
    long hostTsc,
    long hostTscAfter,
    boolean exact,
    String operation,
    int vm,
    int vcpu,
    Map<String, Long> values,
    boolean writesTsc,
    @Nullable String error) {}
