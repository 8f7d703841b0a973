/** A run's clock operations in a file, with what the kernel says it made of each. */
@NullMarked
package kvmselftest.trace;

import org.jspecify.annotations.NullMarked;
