package kvmselftest.host.debian;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import kvmselftest.host.HostException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BusyboxFinderTest {
  private static final int PT_LOAD = 1;
  private static final int PT_INTERP = 3;

  @TempDir Path temp;

  @Test
  void takesTheMachinesOwnWhenItIsStatic() throws Exception {
    Path own = busybox("own", PT_LOAD);
    assertEquals(own, finder(FakePackages.none()).find(line -> {}));
  }

  @Test
  void takesThePackagesWhenTheMachinesOwnNeedsALoader() throws Exception {
    busybox("own", PT_INTERP);
    Path unpacked = busybox("unpacked/bin", PT_LOAD);
    assertEquals(unpacked, finder(FakePackages.of(temp.resolve("unpacked"))).find(line -> {}));
  }

  @Test
  void saysThatThereIsNone() {
    assertThrows(HostException.class, () -> finder(FakePackages.none()).find(line -> {}));
  }

  private BusyboxFinder finder(Packages packages) {
    return new BusyboxFinder(packages, new SearchPath(List.of(temp.resolve("own"))));
  }

  /** An ELF header with one program header after it. */
  private Path busybox(String folder, int programHeader) throws IOException {
    ByteBuffer elf = ByteBuffer.allocate(0x40 + 0x38).order(ByteOrder.LITTLE_ENDIAN);
    elf.putInt(0, 0x464c457f);
    elf.putLong(0x20, 0x40);
    elf.putShort(0x36, (short) 0x38);
    elf.putShort(0x38, (short) 1);
    elf.putInt(0x40, programHeader);
    Path file = Files.createDirectories(temp.resolve(folder)).resolve("busybox");
    Files.write(file, elf.array());
    return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }
}
