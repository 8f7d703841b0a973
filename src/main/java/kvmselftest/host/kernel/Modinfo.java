package kvmselftest.host.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What a kernel module says of itself: the fields of its ELF section .modinfo. */
record Modinfo(Map<String, String> fields) {
  // Offsets in Elf64_Ehdr and Elf64_Shdr (elf.h).
  private static final int E_MACHINE = 0x12;
  private static final int E_SHOFF = 0x28;
  private static final int E_SHENTSIZE = 0x3a;
  private static final int E_SHNUM = 0x3c;
  private static final int E_SHSTRNDX = 0x3e;
  private static final int SH_OFFSET = 0x18;
  private static final int SH_SIZE = 0x20;

  private static final int EM_X86_64 = 62;

  Modinfo {
    fields = Map.copyOf(fields);
  }

  /**
   * Reads a module that is not compressed.
   *
   * @return nothing when it is no whole x86-64 kernel module
   */
  static Optional<Modinfo> of(byte[] module) {
    ByteBuffer elf = ByteBuffer.wrap(module).order(ByteOrder.LITTLE_ENDIAN);
    try {
      return elf.getShort(E_MACHINE) == EM_X86_64
          ? section(elf, ".modinfo").map(Modinfo::parse)
          : Optional.empty();
    } catch (IndexOutOfBoundsException | ArithmeticException e) {
      return Optional.empty();
    }
  }

  private static Optional<String> section(ByteBuffer elf, String wanted) {
    int names = header(elf, elf.getShort(E_SHSTRNDX));
    String all = content(elf, names);
    for (int i = 0; i < elf.getShort(E_SHNUM); i++) {
      int header = header(elf, i);
      int name = elf.getInt(header);
      if (all.startsWith(wanted + "\0", name)) {
        return Optional.of(content(elf, header));
      }
    }
    return Optional.empty();
  }

  private static int header(ByteBuffer elf, int index) {
    return Math.toIntExact(elf.getLong(E_SHOFF)) + index * elf.getShort(E_SHENTSIZE);
  }

  private static String content(ByteBuffer elf, int header) {
    int offset = Math.toIntExact(elf.getLong(header + SH_OFFSET));
    int size = Math.toIntExact(elf.getLong(header + SH_SIZE));
    return StandardCharsets.ISO_8859_1.decode(elf.slice(offset, size)).toString();
  }

  private static Modinfo parse(String section) {
    Map<String, String> fields = new LinkedHashMap<>();
    for (String field : section.split("\0+", -1)) {
      int equals = field.indexOf('=');
      if (equals > 0) {
        fields.putIfAbsent(field.substring(0, equals), field.substring(equals + 1));
      }
    }
    return new Modinfo(fields);
  }

  /** The release of the kernel it was built for. */
  String release() {
    return fields.getOrDefault("vermagic", "").replaceFirst(" .*", "");
  }

  /** The modules that must be loaded before it. */
  List<String> depends() {
    return Arrays.stream(fields.getOrDefault("depends", "").split(",", -1))
        .filter(name -> !name.isEmpty())
        .toList();
  }
}
