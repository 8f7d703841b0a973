package kvmselftest.host.debian;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import kvmselftest.host.HostException;
import kvmselftest.host.Progress;

/** Finds a busybox that runs where there is no C library. */
public final class BusyboxFinder {
  /** The program header of a binary that needs a loader, and so libraries (elf.h). */
  private static final int PT_INTERP = 3;

  private final Packages packages;
  private final SearchPath path;

  public BusyboxFinder(Packages packages) {
    this(packages, SearchPath.ofProcess());
  }

  BusyboxFinder(Packages packages, SearchPath path) {
    this.packages = packages;
    this.path = path;
  }

  /** The machine's own when it is static, otherwise the one of its distribution's package. */
  public Path find(Progress progress) throws HostException {
    Optional<Path> own = path.find("busybox").filter(BusyboxFinder::isStatic);
    return own.isPresent() ? own.get() : unpacked(packages.busybox(progress));
  }

  private static Path unpacked(Path root) throws HostException {
    return Stream.of("bin/busybox", "usr/bin/busybox")
        .map(root::resolve)
        .filter(Files::isRegularFile)
        .findFirst()
        .orElseThrow(() -> new HostException("no busybox in " + root + "; delete that folder"));
  }

  private static boolean isStatic(Path binary) {
    try (FileChannel file = FileChannel.open(binary)) {
      ByteBuffer start = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);
      file.read(start);
      return isStatic(start);
    } catch (IOException | IndexOutOfBoundsException e) {
      return false;
    }
  }

  /** Reads an Elf64_Ehdr and its program headers, which follow it closely in every binary seen. */
  private static boolean isStatic(ByteBuffer start) {
    int elfMagic = 0x464c457f;
    if (start.getInt(0) != elfMagic) {
      return false;
    }
    int headers = Math.toIntExact(start.getLong(0x20));
    int size = start.getShort(0x36);
    int count = start.getShort(0x38);
    for (int i = 0; i < count; i++) {
      if (start.getInt(headers + i * size) == PT_INTERP) {
        return false;
      }
    }
    return true;
  }
}
