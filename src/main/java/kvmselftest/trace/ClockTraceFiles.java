package kvmselftest.trace;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import kvmselftest.kvm.ClockCall;
import kvmselftest.kvm.ClockTrace;

/**
 * {@code trace.txt} and {@code trace.jsonl}: every {@link ClockCall} of a run and, where tracefs
 * lets us, the kernel's events between them. Written test by test, so that a run that is cut off
 * leaves what it had. Any thread may call.
 */
public final class ClockTraceFiles implements AutoCloseable {
  /** Of one test; more would not fit into a small machine's memory. */
  private static final int MOST_CALLS = 200_000;

  private final PrintStream text;
  private final PrintStream json;
  private final HostTime time = HostTime.start();
  private final TscWrites writes = new TscWrites(time);
  private final Optional<KernelEvents> kernel;
  private final Object callsLock = new Object();
  private List<ClockCall> calls = new ArrayList<>();
  private long dropped;
  private boolean closed;

  /**
   * Begins to trace.
   *
   * @param folder where the files go
   * @throws IOException if they cannot be written
   */
  public ClockTraceFiles(Path folder) throws IOException {
    text = open(folder.resolve("trace.txt"));
    json = open(folder.resolve("trace.jsonl"));
    note(
        "host time in s since here; host TSC %s ticks at 0, about %.0f kHz"
            .formatted(Long.toUnsignedString(time.origin()), time.khz()));
    note("elapsed: ns since the TSC of a vCPU of the same VM was last written");
    note("brackets that tests take around single calls are wider by the tracing of them");
    kernel = kernelEvents();
    ClockTrace.start(this::add);
  }

  private static PrintStream open(Path file) throws IOException {
    return new PrintStream(Files.newOutputStream(file), false, StandardCharsets.UTF_8);
  }

  private Optional<KernelEvents> kernelEvents() {
    try {
      KernelEvents events = KernelEvents.open(KernelEvents.PLACES);
      note("kernel: events of tracefs, merged by the host's TSC");
      return Optional.of(events);
    } catch (IOException e) {
      note("no events of the kernel's: " + e.getMessage());
      return Optional.empty();
    }
  }

  private void add(ClockCall call) {
    synchronized (callsLock) {
      if (calls.size() < MOST_CALLS) {
        calls.add(call);
      } else {
        dropped++;
      }
    }
  }

  private record Taken(List<ClockCall> calls, long dropped) {}

  private Taken take() {
    synchronized (callsLock) {
      Taken taken = new Taken(calls, dropped);
      calls = new ArrayList<>();
      dropped = 0;
      return taken;
    }
  }

  /** Writes what there is, then the name of a test that begins. */
  public synchronized void begin(String test) {
    if (!closed) {
      write();
      put(TraceLine.ofTest(test));
    }
  }

  /** Writes what there is. */
  public synchronized void flush() {
    if (!closed) {
      write();
      text.flush();
      json.flush();
    }
  }

  private void write() {
    Taken taken = take();
    taken.calls().sort(Comparator.comparingLong(call -> call.hostTsc() - time.origin()));
    List<TimedLine> lines = new ArrayList<>();
    taken.calls().forEach(call -> lines.add(writes.take(call)));
    kernel.ifPresent(events -> eventsOf(events).forEach(event -> lines.add(TimedLine.of(event))));
    lines.sort(Comparator.comparingLong(line -> line.hostTsc() - time.origin()));
    lines.forEach(line -> put(TraceLine.of(line, time)));
    if (taken.dropped() > 0) {
      note("%d more calls of this test were not kept".formatted(taken.dropped()));
    }
  }

  private List<KernelEvent> eventsOf(KernelEvents events) {
    try {
      return events.take();
    } catch (IOException e) {
      note("events of the kernel's are missing here: " + e.getMessage());
      return List.of();
    }
  }

  private void note(String line) {
    put(TraceLine.ofNote(line));
  }

  private void put(TraceLine line) {
    text.println(line.text());
    json.println(line.json());
  }

  /**
   * Ends the tracing, and leaves tracefs as it was.
   *
   * @throws IOException if tracefs does not let it, or not all was written
   */
  @Override
  public synchronized void close() throws IOException {
    if (closed) {
      return;
    }
    ClockTrace.stop();
    write();
    closed = true;
    boolean textFailed = text.checkError();
    boolean complete = !json.checkError() && !textFailed;
    text.close();
    json.close();
    if (kernel.isPresent()) {
      kernel.get().close();
    }
    if (!complete) {
      throw new IOException("trace.txt or trace.jsonl is incomplete");
    }
  }
}
