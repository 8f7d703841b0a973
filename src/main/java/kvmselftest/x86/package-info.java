/** What the CPU is: registers, page tables, MSRs, the TSC, the pvclock page. */
@NullMarked
package kvmselftest.x86;

import org.jspecify.annotations.NullMarked;
