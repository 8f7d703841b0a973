package kvmselftest.host.emulator;

import java.nio.file.Path;

/**
 * Where two of the serial ports lead.
 *
 * @param console the kernel's console
 * @param results lines from the init, then a gzip'ed tar
 */
public record SerialFiles(Path console, Path results) {}
