/** What the guest says: guest blobs, ucalls, and the loop that runs a vCPU up to the next one. */
@NullMarked
package kvmselftest.guest;

import org.jspecify.annotations.NullMarked;
