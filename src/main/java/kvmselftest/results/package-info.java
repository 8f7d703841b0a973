/** What a run found, as {@code results.json} has it (docs/results.md), and the writing of it. */
@NullMarked
package kvmselftest.results;

import org.jspecify.annotations.NullMarked;
