package kvmselftest.host.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Stream;
import kvmselftest.host.HostException;
import kvmselftest.host.process.Tool;

/** The machine's shared libraries that a Java runtime needs. */
final class SharedLibraries {
  /** The program header that names the loader (elf.h). */
  private static final int PT_INTERP = 3;

  private final Path home;
  private final Path loader;

  /** Those of the runtime in that folder. */
  SharedLibraries(Path home) throws IOException, HostException {
    this.home = home;
    loader = loader(home.resolve("bin/java"));
  }

  /** The program that loads them all (ld-linux-x86-64.so.2). */
  Path loader() {
    return loader;
  }

  /** The loader and the libraries, each where the loader finds it. */
  NavigableSet<Path> paths() throws IOException, HostException {
    NavigableSet<Path> paths = new TreeSet<>(List.of(loader));
    try (Stream<Path> files = Files.walk(home)) {
      for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
        if (isElf(file)) {
          addNeededBy(file, paths);
        }
      }
    }
    return paths;
  }

  /**
   * The loader says what it would load: lines of the form {@code libc.so.6 => /lib/libc.so.6
   * (0x7f)}.
   */
  private void addNeededBy(Path file, NavigableSet<Path> paths) throws HostException {
    Tool list =
        new Tool(
            List.of(
                loader.toString(),
                "--library-path",
                home.resolve("lib") + ":" + home.resolve("lib/server"),
                "--list",
                file.toString()),
            home,
            Duration.ofSeconds(30));
    Tool.Result result = list.run();
    for (String line : result.output().lines().toList()) {
      if (line.contains("not found")) {
        throw new HostException(
            "a library that " + file.getFileName() + " needs is missing: " + line.strip());
      }
      resolved(line).filter(path -> !path.startsWith(home)).ifPresent(paths::add);
    }
  }

  private static Optional<Path> resolved(String line) {
    int arrow = line.indexOf("=> /");
    int address = line.lastIndexOf(" (0x");
    return arrow < 0 || address < arrow
        ? Optional.empty()
        : Optional.of(Path.of(line.substring(arrow + "=> ".length(), address)));
  }

  private static boolean isElf(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      ByteBuffer start = ByteBuffer.allocate(4);
      channel.read(start);
      return start.flip().equals(ByteBuffer.wrap(new byte[] {0x7f, 'E', 'L', 'F'}));
    }
  }

  /** Reads an Elf64_Ehdr and its program headers up to the one that names the loader. */
  private static Path loader(Path binary) throws IOException, HostException {
    try (FileChannel channel = FileChannel.open(binary)) {
      ByteBuffer file =
          channel
              .map(FileChannel.MapMode.READ_ONLY, 0, channel.size())
              .order(ByteOrder.LITTLE_ENDIAN);
      int header = Math.toIntExact(file.getLong(0x20));
      int size = file.getShort(0x36);
      for (int i = 0; i < file.getShort(0x38); i++, header += size) {
        if (file.getInt(header) == PT_INTERP) {
          byte[] name = new byte[Math.toIntExact(file.getLong(header + 32)) - 1];
          file.get(Math.toIntExact(file.getLong(header + 8)), name);
          return Path.of(new String(name, StandardCharsets.UTF_8));
        }
      }
    }
    throw new HostException(binary + " names no loader; start with a JDK built for glibc");
  }
}
