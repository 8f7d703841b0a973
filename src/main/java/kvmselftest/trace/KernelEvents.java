package kvmselftest.trace;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The kernel's events about KVM's clocks, by a tracefs instance of our own
 * (Documentation/trace/ftrace.rst): nobody else's tracing is touched, and removing it leaves
 * tracefs as it was. The trace clock is x86-tsc, the counter that the calls are timed by, so that
 * the two merge without any conversion.
 */
final class KernelEvents implements AutoCloseable {
  /** Where tracefs is mounted. */
  static final List<Path> PLACES =
      List.of(Path.of("/sys/kernel/tracing"), Path.of("/sys/kernel/debug/tracing"));

  private static final String PREFIX = "kvm-clock-selftests-";
  private static final List<String> EVENTS =
      List.of(
          "kvm_write_tsc_offset", "kvm_track_tsc", "kvm_update_master_clock", "kvm_pvclock_update");

  /** For each CPU, KiB; some 80,000 events. */
  private static final String BUFFER_KIB = "8192";

  private final Path instance;
  private boolean closed;

  private KernelEvents(Path instance) {
    this.instance = instance;
  }

  /**
   * Begins to collect.
   *
   * @throws IOException if tracefs is not there, or not for us, or lacks the events
   */
  static KernelEvents open(List<Path> places) throws IOException {
    Path instances = instances(places);
    removeLeftBehind(instances);
    Path instance =
        Files.createDirectory(instances.resolve(PREFIX + ProcessHandle.current().pid()));
    KernelEvents events = new KernelEvents(instance);
    try {
      events.begin();
      return events;
    } catch (IOException e) {
      events.close();
      throw e;
    }
  }

  private static Path instances(List<Path> places) throws IOException {
    for (Path place : places) {
      Path instances = place.resolve("instances");
      if (Files.isWritable(instances)) {
        return instances;
      }
    }
    throw new IOException("no writable tracefs at " + places.getFirst() + " (root may mount it)");
  }

  private void begin() throws IOException {
    write("trace_clock", "x86-tsc");
    write("buffer_size_kb", BUFFER_KIB);
    for (String event : EVENTS) {
      write("events/kvm/" + event + "/enable", "1");
    }
  }

  /** What has been collected since the last time. */
  List<KernelEvent> take() throws IOException {
    try (Stream<String> lines = Files.lines(instance.resolve("trace"))) {
      List<KernelEvent> events = lines.map(KernelEvent::parse).flatMap(Optional::stream).toList();
      write("trace", "\n");
      return events;
    }
  }

  /** Runs that were killed leave theirs; a number of theirs may be of another process by now. */
  private static void removeLeftBehind(Path instances) throws IOException {
    List<Path> ours;
    try (Stream<Path> all = Files.list(instances)) {
      ours =
          all.filter(path -> path.getFileName().toString().matches(PREFIX + "\\d{1,9}")).toList();
    }
    for (Path path : ours) {
      long pid = Long.parseLong(path.getFileName().toString().substring(PREFIX.length()));
      if (pid == ProcessHandle.current().pid() || ProcessHandle.of(pid).isEmpty()) {
        Files.delete(path);
      }
    }
  }

  private void write(String file, String text) throws IOException {
    Files.writeString(instance.resolve(file), text);
  }

  @Override
  public void close() throws IOException {
    if (!closed) {
      closed = true;
      Files.delete(instance); // rmdir, which tracefs takes for the removal of the instance
    }
  }
}
