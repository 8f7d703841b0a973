package kvmselftest.host.kernel;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.compressors.xz.XZCompressorOutputStream;
import org.apache.commons.compress.compressors.zstandard.ZstdCompressorOutputStream;

/** Makes images and modules with no more in them than what is read of them. */
final class FakeKernel {
  private static final int SECTION_HEADER = 0x40;

  private FakeKernel() {}

  /** A bzImage's header, whose sizes say that nothing follows the setup code. */
  static byte[] image(String release) {
    ByteBuffer image = ByteBuffer.allocate(5 * 512).order(ByteOrder.LITTLE_ENDIAN);
    image.put(0x1f1, (byte) 4);
    image.put(0x202, "HdrS".getBytes(StandardCharsets.US_ASCII));
    image.putShort(0x206, (short) 0x20f);
    image.putShort(0x20e, (short) 0x300);
    image.putShort(0x236, (short) 1);
    image.put(0x500, (release + " (builder) #1 SMP").getBytes(StandardCharsets.US_ASCII));
    return image.array();
  }

  static Path writeImage(Path file, String release) throws IOException {
    Files.createDirectories(Objects.requireNonNull(file.toAbsolutePath().getParent()));
    return Files.write(file, image(release));
  }

  /** A folder in which a kernel was built, without modules. */
  static Path writeTree(Path tree, String release) throws IOException {
    writeImage(tree.resolve("arch/x86/boot/bzImage"), release);
    Path link = Files.createDirectories(tree.resolve("arch/x86_64/boot")).resolve("bzImage");
    Files.createSymbolicLink(link, Path.of("../../x86/boot/bzImage"));
    return tree;
  }

  /** The three modules of KVM, compressed as the suffix says. */
  static void writeModules(Path folder, String release, String suffix) throws IOException {
    writeModule(folder.resolve("irqbypass.ko" + suffix), release, "");
    writeModule(folder.resolve("kvm.ko" + suffix), release, "irqbypass");
    writeModule(folder.resolve("kvm-amd.ko" + suffix), release, "kvm");
  }

  /** An ELF object with a .modinfo section. */
  static byte[] module(String release, String depends) {
    byte[] modinfo =
        ("license=GPL\0depends=" + depends + "\0vermagic=" + release + " SMP preempt mod_unload \0")
            .getBytes(StandardCharsets.US_ASCII);
    byte[] names = "\0.modinfo\0.shstrtab\0".getBytes(StandardCharsets.US_ASCII);
    int content = 0x40 + 3 * SECTION_HEADER;
    ByteBuffer elf =
        ByteBuffer.allocate(content + modinfo.length + names.length).order(ByteOrder.LITTLE_ENDIAN);
    elf.putInt(0, 0x464c457f);
    elf.putShort(0x12, (short) 62);
    elf.putLong(0x28, 0x40);
    elf.putShort(0x3a, (short) SECTION_HEADER);
    elf.putShort(0x3c, (short) 3);
    elf.putShort(0x3e, (short) 2);
    section(elf, 1, 1, content, modinfo);
    section(elf, 2, 10, content + modinfo.length, names);
    return elf.array();
  }

  private static void section(ByteBuffer elf, int index, int name, int offset, byte[] content) {
    int header = 0x40 + index * SECTION_HEADER;
    elf.putInt(header, name);
    elf.putLong(header + 0x18, offset);
    elf.putLong(header + 0x20, content.length);
    elf.put(offset, content);
  }

  /** Writes a module, compressed as the file's name says. */
  static Path writeModule(Path file, String release, String depends) throws IOException {
    Files.createDirectories(Objects.requireNonNull(file.toAbsolutePath().getParent()));
    try (OutputStream out = compressing(file)) {
      out.write(module(release, depends));
    }
    return file;
  }

  private static OutputStream compressing(Path file) throws IOException {
    OutputStream out = Files.newOutputStream(file);
    String name = file.toString();
    if (name.endsWith(".xz")) {
      return new XZCompressorOutputStream(out);
    }
    if (name.endsWith(".gz")) {
      return new GZIPOutputStream(out);
    }
    return name.endsWith(".zst") ? new ZstdCompressorOutputStream(out) : out;
  }
}
