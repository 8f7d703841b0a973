/** What this kernel's KVM does where kernels rightly differ: found by trying it, not by version. */
@NullMarked
package kvmselftest.probe;

import org.jspecify.annotations.NullMarked;
