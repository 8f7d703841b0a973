/** The command line: what the user asked for, and which of the other packages does it. */
@NullMarked
package kvmselftest.cli;

import org.jspecify.annotations.NullMarked;
