/**
 * A guest's clocks on the move: what of them a source VM is asked for, and how a destination VM is
 * given them (Documentation/virt/kvm/devices/vcpu.rst, section 4.1). Written to be read, and used
 * by other VMMs: the ioctls are those of {@code kvmselftest.kvm}, the arithmetic stands alone.
 */
@NullMarked
package kvmselftest.migration;

import org.jspecify.annotations.NullMarked;
