package kvmselftest.x86;

/**
 * GDTR or IDTR.
 *
 * @param base linear address
 * @param limit size in bytes minus 1
 */
public record DescriptorTable(long base, int limit) {}
