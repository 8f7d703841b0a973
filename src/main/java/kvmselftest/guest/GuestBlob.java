package kvmselftest.guest;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A guest program: a flat binary from guest-blobs/, linked to run at {@link #LOAD_GPA}. It begins
 * with a header that guest-blobs/ucall.inc writes.
 */
public final class GuestBlob {
  /** Where blobs are linked to run and are loaded, GUEST_BASE of guest-blobs/Makefile. */
  static final long LOAD_GPA = 0x10_0000;

  private static final byte[] MAGIC = "KVMGUEST".getBytes(StandardCharsets.US_ASCII);
  private static final int HEADER_SIZE = 32;

  private final String name;
  private final byte[] bytes;

  private GuestBlob(String name, byte[] bytes) {
    this.name = name;
    this.bytes = bytes;
  }

  /**
   * Reads a blob from the class path.
   *
   * @param name the blob's name, that of its test, such as {@code kvm_clock_test}
   * @throws IllegalArgumentException if there is none, or it is not a guest
   */
  public static GuestBlob named(String name) {
    String resource = "/guest-blobs/" + name + ".bin";
    try (InputStream in = GuestBlob.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IllegalArgumentException("no guest blob " + resource + " on the class path");
      }
      return new GuestBlob(name, checked(name, in.readAllBytes()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static byte[] checked(String name, byte[] bytes) {
    if (bytes.length < HEADER_SIZE
        || !Arrays.equals(bytes, 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
      throw new IllegalArgumentException(
          "guest blob " + name + " does not begin with the header of ucall.inc");
    }
    return bytes;
  }

  byte[] bytes() {
    return bytes;
  }

  /** The address of guest_main. */
  long entry() {
    return header(8);
  }

  /** The address of exception 0's entry point. */
  long exceptions() {
    return header(16);
  }

  /** The distance from one exception's entry point to the next, bytes. */
  long exceptionSize() {
    return header(24);
  }

  private long header(int offset) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong(offset);
  }

  @Override
  public String toString() {
    return name;
  }
}
