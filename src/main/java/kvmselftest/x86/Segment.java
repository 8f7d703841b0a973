package kvmselftest.x86;

/**
 * A segment register with its hidden part, as SDM volume 3, section 3.4.5 describes it.
 *
 * @param selector the visible part
 * @param base linear address of the segment's start
 * @param limit last valid offset
 * @param type the 4-bit type field
 * @param system true for a TSS or another system segment, false for code and data
 * @param longMode true for 64-bit code
 */
public record Segment(
    int selector, long base, int limit, int type, boolean system, boolean longMode) {}
