/** The cache folder, shared safely by several processes. */
@NullMarked
package kvmselftest.host.cache;

import org.jspecify.annotations.NullMarked;
