/** A run as one HTML page that needs nothing beside it. */
@NullMarked
package kvmselftest.review.page;

import org.jspecify.annotations.NullMarked;
