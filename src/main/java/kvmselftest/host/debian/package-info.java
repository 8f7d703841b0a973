/**
 * QEMU and packages of Debian's kind, had with the machine's own apt, unpacked without being root.
 */
@NullMarked
package kvmselftest.host.debian;

import org.jspecify.annotations.NullMarked;
