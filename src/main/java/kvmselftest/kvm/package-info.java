/** What KVM is: one class for each kind of file descriptor, methods named as the ioctls. */
@NullMarked
package kvmselftest.kvm;

import org.jspecify.annotations.NullMarked;
