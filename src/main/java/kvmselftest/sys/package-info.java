/** What Linux is: system calls with their errno, memory mappings, machine code in a page. */
@NullMarked
package kvmselftest.sys;

import org.jspecify.annotations.NullMarked;
