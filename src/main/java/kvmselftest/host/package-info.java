/**
 * The emulated KVM host: a kernel, an image, a QEMU, and what came back. Knows nothing of KVM's
 * API.
 */
@NullMarked
package kvmselftest.host;

import org.jspecify.annotations.NullMarked;
