package kvmselftest.host.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import kvmselftest.host.HostException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class BzImageTest {
  private static final String RELEASE = "6.1.0-56-cloud-amd64";

  @TempDir Path temp;

  @Test
  void readsTheReleaseFromTheHeader() throws Exception {
    Path image = FakeKernel.writeImage(temp.resolve("vmlinuz"), RELEASE);
    assertEquals(RELEASE, BzImage.read(image).release());
  }

  static Stream<Arguments> otherFiles() {
    return Stream.of(
        argumentSet("empty", new byte[0], "it is empty"),
        argumentSet("tiny", bytes("x"), "only 1 bytes"),
        argumentSet("text", bytes("# not a kernel\n".repeat(100)), "no x86 boot header"),
        argumentSet("vmlinux", padded(0, 0x7f, 'E', 'L', 'F'), "arch/x86/boot/bzImage"),
        argumentSet("gzip", padded(0, 0x1f, 0x8b), "compressed"),
        argumentSet("arm64", padded(0x38, 'A', 'R', 'M', 0x64), "another architecture"),
        argumentSet("zboot", padded(4, 'z', 'i', 'm', 'g'), "another architecture"),
        argumentSet("cut short", cutShort(), "cut short"),
        argumentSet("32-bit", with(0x236, 0), "32-bit"),
        argumentSet("no version", with(0x20f, 0), "does not say its version"));
  }

  @ParameterizedTest
  @MethodSource("otherFiles")
  void saysWhatAFileIsThatIsNoImage(byte[] content, String said) throws Exception {
    Path file = Files.write(temp.resolve("file"), content);
    HostException e = assertThrows(HostException.class, () -> BzImage.read(file));
    assertTrue(e.getMessage().contains(said), e.getMessage());
    assertTrue(e.getMessage().contains(file.toString()), e.getMessage());
    assertFalse(e.getMessage().contains("\n"), e.getMessage());
  }

  @Test
  void saysThatItIsMissingOrAFolder() {
    HostException missing =
        assertThrows(HostException.class, () -> BzImage.read(temp.resolve("none")));
    assertTrue(missing.getMessage().contains("does not exist"), missing.getMessage());
    HostException folder = assertThrows(HostException.class, () -> BzImage.read(temp));
    assertTrue(folder.getMessage().contains("is a folder"), folder.getMessage());
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private static byte[] padded(int at, int... start) {
    byte[] bytes = new byte[4096];
    for (int i = 0; i < start.length; i++) {
      bytes[at + i] = (byte) start[i];
    }
    return bytes;
  }

  private static byte[] with(int at, int value) {
    byte[] image = FakeKernel.image(RELEASE);
    image[at] = (byte) value;
    return image;
  }

  private static byte[] cutShort() {
    byte[] image = with(0x1f4, 100);
    return Arrays.copyOf(image, image.length + 50);
  }
}
