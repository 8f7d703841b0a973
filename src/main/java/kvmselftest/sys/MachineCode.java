package kvmselftest.sys;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.function.LongConsumer;

/**
 * A few bytes of machine code in pages of their own, first written, then made read-only and
 * executable. Never freed while this object is reachable; meant for code that lives as long as the
 * process.
 */
public final class MachineCode {
  private final Mapping pages;

  public MachineCode(byte[] code) {
    pages = Mapping.anonymous(Math.max(code.length, 1));
    MemorySegment.copy(code, 0, pages.segment(), JAVA_BYTE, 0, code.length);
    pages.protect(Mapping.PROT_READ | Mapping.PROT_EXEC);
  }

  /**
   * Reads a piece of code from the class path.
   *
   * @param name its name in guest-blobs/, without .s
   * @throws IllegalStateException if it is not there
   */
  public static MachineCode named(String name) {
    String resource = "/guest-blobs/" + name + ".bin";
    try (InputStream in = MachineCode.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IllegalStateException(resource + " is not on the class path");
      }
      return new MachineCode(in.readAllBytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * The code as a function without arguments that returns RAX.
   *
   * <p>Linked as {@code critical}, that is without a transition from Java to native: the call costs
   * some 25 ns, so that what it reads is read when it is called. The code must therefore be short
   * and must not block or call back.
   */
  @SuppressWarnings("restricted") // the bytes are ours and follow the System V calling convention
  public MethodHandle asLongFunction() {
    return Linker.nativeLinker()
        .downcallHandle(
            pages.segment(), FunctionDescriptor.of(JAVA_LONG), Linker.Option.critical(false));
  }

  /**
   * The code as a function of one argument without a result. It may take as long as it likes.
   *
   * <p>Of the one shape that is linked already ({@link KernelEntry}).
   */
  public LongConsumer asBlockingFunction() {
    MethodHandle function = KernelEntry.link(pages.segment());
    return argument -> {
      var _ = KernelEntry.invoke(function, argument, 0);
    };
  }

  MemorySegment segment() {
    return pages.segment();
  }
}
