package kvmselftest.sys;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;

/** System calls, as far as any Linux can show them. */
class LibcTest {
  private static final long TCGETS = 0x5401;
  private static final long FIONREAD = 0x541b;

  @Test
  void openSaysWhyItFails() {
    SyscallException e = assertThrows(SyscallException.class, () -> Fd.open("/no/such/file"));
    assertEquals(Errno.ENOENT, e.errno());
    assertEquals("open(/no/such/file) failed: ENOENT (No such file or directory)", e.getMessage());
  }

  @Test
  void ioctlReturnsErrnoNegated() {
    try (Fd fd = Fd.open("/dev/null")) {
      assertEquals(-Errno.ENOTTY.number(), fd.ioctl(TCGETS, 0));
    }
  }

  @Test
  void errnoIsThatOfTheCallingThread() throws Exception {
    try (Fd fd = Fd.open("/dev/null")) {
      FutureTask<Integer> other =
          new FutureTask<>(
              () -> {
                int seen = 0;
                for (int i = 0; i < 10_000; i++) {
                  seen |= -fd.ioctl(TCGETS, 0) ^ Errno.ENOTTY.number();
                }
                return seen;
              });
      Thread.ofPlatform().start(other);
      for (int i = 0; i < 10_000; i++) {
        assertEquals(-Errno.ENOENT.number(), Libc.open("/no/such/file", Libc.O_RDWR));
      }
      assertEquals(0, other.get());
    }
  }

  @Test
  void unknownErrorNumberHasNoName() {
    assertEquals("errno 4000", new Errno(4000).name());
  }

  @Test
  void closedFileIsRefusedAndClosedOnce() throws IOException {
    Fd fd = Fd.open("/dev/null");
    long open = openFiles();
    fd.close();
    assertEquals(open - 1, openFiles());
    fd.close();
    assertEquals(open - 1, openFiles());
    assertTrue(fd.isClosed());
    assertThrows(IllegalStateException.class, () -> fd.ioctl(TCGETS, 0));
  }

  @Test
  void ioctlsInARowStopAtTheFirstThatFails() throws Exception {
    Path fifo = fifo();
    try (Fd fd = Fd.open(fifo.toString());
        Arena arena = Arena.ofConfined()) {
      MemorySegment unread = arena.allocateFrom(JAVA_INT, -1);
      MemorySegment unreadLast = arena.allocateFrom(JAVA_INT, -1);
      IoctlSequence sequence =
          new IoctlSequence(
              List.of(
                  new IoctlSequence.IoctlStep(fd, FIONREAD, unread),
                  new IoctlSequence.IoctlStep(fd, TCGETS, MemorySegment.NULL),
                  new IoctlSequence.IoctlStep(fd, FIONREAD, unreadLast)));

      long end = sequence.call(0);
      assertEquals(0, sequence.result(0));
      assertEquals(0, unread.get(JAVA_INT, 0));
      assertEquals(-Errno.ENOTTY.number(), sequence.result(1));
      assertEquals(-1, unreadLast.get(JAVA_INT, 0), "the third was not made");
      assertTrue(sequence.tscBefore(1) - sequence.tscBefore(0) > 0);
      assertTrue(end - sequence.tscBefore(1) > 0);

      assertTrue(sequence.call(2) - end > 0);
      assertEquals(0, unreadLast.get(JAVA_INT, 0));
    } finally {
      delete(fifo);
    }
  }

  private static Path fifo() throws Exception {
    Path fifo = Files.createTempDirectory("fifo").resolve("fifo");
    assertEquals(0, new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor());
    return fifo;
  }

  private static void delete(Path fifo) throws IOException {
    Files.delete(fifo);
    Files.delete(fifo.getParent());
  }

  private static long openFiles() throws IOException {
    try (var files = Files.list(Path.of("/proc/self/fd"))) {
      return files.count();
    }
  }

  @Test
  void closingWaitsForTheCallUnderWay() throws Exception {
    Fd fd = Fd.open("/dev/null");
    fd.acquire();
    FutureTask<Boolean> closing =
        new FutureTask<>(
            () -> {
              fd.close(fd::release); // what disturbs it ends the call
              return fd.isClosed();
            });
    Thread.ofPlatform().start(closing);
    assertTrue(closing.get());
  }

  @Test
  void mappingIsZeroedWritableAndOutOfReachOnceClosed() {
    Mapping mapping = Mapping.anonymous(8192);
    var segment = mapping.segment();
    assertEquals(0, segment.get(JAVA_LONG, 8184));
    segment.set(JAVA_LONG, 8184, -1L);
    mapping.close();
    mapping.close();
    assertThrows(IllegalStateException.class, () -> segment.get(JAVA_LONG, 8184));
  }

  @Test
  void machineCodeIsCalled() throws Throwable {
    // mov rax, 0x1122334455667788; ret
    MachineCode code =
        new MachineCode(
            new byte[] {
              0x48, (byte) 0xb8, (byte) 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, (byte) 0xc3
            });
    assertEquals(0x1122334455667788L, (long) code.asLongFunction().invokeExact());
  }

  @Test
  void clocksAdvance() {
    for (Clock clock : Clock.values()) {
      long first = clock.nanos();
      assertTrue(clock.nanos() >= first, clock::name);
    }
    assertTrue(Clock.REALTIME.nanos() > Clock.MONOTONIC.nanos());
  }

  @Test
  void systemCallOfAnotherThreadIsInterrupted() throws Exception {
    // sleep(2) is no call of ours, so read a FIFO that nobody writes: open(2) blocks until then.
    Path fifo = fifo();
    var tid = new CompletableFuture<NativeThread>();
    FutureTask<Integer> blocked =
        new FutureTask<>(
            () -> {
              tid.complete(NativeThread.current());
              return Libc.open(fifo.toString(), Libc.O_WRONLY);
            });
    Thread.ofPlatform().start(blocked);
    while (!blocked.isDone()) {
      tid.get().interruptSystemCall();
      Thread.sleep(1);
    }
    assertEquals(-Errno.EINTR.number(), blocked.get());
    delete(fifo);
  }
}
