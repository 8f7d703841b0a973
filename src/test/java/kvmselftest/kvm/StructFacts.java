package kvmselftest.kvm;

import java.lang.foreign.GroupLayout;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.PaddingLayout;
import java.lang.foreign.SequenceLayout;
import java.lang.foreign.StructLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * What the layout of one generated struct says: its size, and the offset and size of each field,
 * nested structs and unions included.
 */
final class StructFacts {

  /** How jextract names a member that has no name in C, by its place in the header. */
  private static final String ANONYMOUS = "$anon$";

  /** Names of fields that keep space for later kernels. */
  private static final String RESERVED = "pad\\d*|padding\\d*|reserved\\d*";

  private final String type;
  private final boolean withReserved;
  private final List<CFact> facts = new ArrayList<>();

  private StructFacts(String type, boolean withReserved) {
    this.type = type;
    this.withReserved = withReserved;
  }

  /**
   * The facts of the struct {@code name}.
   *
   * @param withReserved also those of reserved fields, which later kernels carve new fields out of
   */
  static List<CFact> of(String name, GroupLayout layout, boolean withReserved) {
    StructFacts struct = new StructFacts("struct " + name, withReserved);
    struct.facts.add(new CFact("sizeof(%s)".formatted(struct.type), layout.byteSize()));
    struct.members(layout, "", 0);
    return struct.facts;
  }

  /** Walks the members of a struct or union that lies at {@code base}, as C names it. */
  private void members(GroupLayout group, String path, long base) {
    long offset = base;
    for (MemoryLayout member : group.memberLayouts()) {
      if (!(member instanceof PaddingLayout)) {
        member(member, path, offset);
      }
      if (group instanceof StructLayout) {
        offset += member.byteSize();
      }
    }
  }

  private void member(MemoryLayout member, String path, long offset) {
    String name = member.name().orElseThrow();
    if (name.startsWith(ANONYMOUS)) {
      members((GroupLayout) member, path, offset); // C reaches its fields without a step of its own
    } else if (isMeant(member, name)) {
      field(member, path.isEmpty() ? name : path + "." + name, offset);
    }
  }

  private boolean isMeant(MemoryLayout member, String name) {
    // The kernel's macro for flexible arrays leaves an empty struct before them in some releases.
    boolean empty = member instanceof GroupLayout && member.byteSize() == 0;
    return !empty && (withReserved || !name.matches(RESERVED));
  }

  private void field(MemoryLayout field, String path, long offset) {
    facts.add(new CFact("offsetof(%s, %s)".formatted(type, path), offset));
    if (field.byteSize() > 0) { // C has no size for a flexible array
      facts.add(new CFact("sizeof(((%s *)0)->%s)".formatted(type, path), field.byteSize()));
    }
    switch (field) {
      case SequenceLayout array -> field(array.elementLayout(), path + "[0]", offset);
      case GroupLayout nested -> members(nested, path, offset);
      default -> {}
    }
  }
}
