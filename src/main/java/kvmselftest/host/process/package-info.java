/** Processes that never outlive this one. */
@NullMarked
package kvmselftest.host.process;

import org.jspecify.annotations.NullMarked;
