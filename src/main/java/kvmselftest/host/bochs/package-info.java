/** Bochs: its configuration, the disk it boots from, its process. */
@NullMarked
package kvmselftest.host.bochs;

import org.jspecify.annotations.NullMarked;
