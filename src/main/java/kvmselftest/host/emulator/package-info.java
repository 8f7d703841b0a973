/** What every emulator of a KVM host has in common: its process and what comes out of its ports. */
@NullMarked
package kvmselftest.host.emulator;

import org.jspecify.annotations.NullMarked;
