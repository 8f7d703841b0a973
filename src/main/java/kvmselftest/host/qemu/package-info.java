/** QEMU: its command line, its process, and what comes out of its serial ports. */
@NullMarked
package kvmselftest.host.qemu;

import org.jspecify.annotations.NullMarked;
