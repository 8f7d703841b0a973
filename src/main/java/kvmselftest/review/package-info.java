/** What results say: read, compared, and shown. Nothing here runs a test. */
@NullMarked
package kvmselftest.review;

import org.jspecify.annotations.NullMarked;
