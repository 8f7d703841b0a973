/** Runs the selftests through the JUnit Platform Launcher and reports what became of each. */
@NullMarked
package kvmselftest.runner;

import org.jspecify.annotations.NullMarked;
