/** What is booted beside the kernel: an initramfs with a Java runtime, the suite and an init. */
@NullMarked
package kvmselftest.host.image;

import org.jspecify.annotations.NullMarked;
