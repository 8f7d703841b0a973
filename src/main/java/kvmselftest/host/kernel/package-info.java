/** Kernels and the modules that go with them. */
@NullMarked
package kvmselftest.host.kernel;

import org.jspecify.annotations.NullMarked;
