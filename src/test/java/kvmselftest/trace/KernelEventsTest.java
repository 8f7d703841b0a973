package kvmselftest.trace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With folders in tracefs's place, which lack the events; the rest is ci/check-trace.sh's. */
class KernelEventsTest {
  @TempDir private Path tracefs;

  @Test
  void saysWhereTracefsIsMissing() {
    IOException e = assertThrows(IOException.class, () -> KernelEvents.open(List.of(tracefs)));

    assertEquals("no writable tracefs at " + tracefs + " (root may mount it)", e.getMessage());
  }

  @Test
  void removesWhatKilledRunsLeftBehindAndNothingElse() throws IOException {
    Path instances = Files.createDirectory(tracefs.resolve("instances"));
    long living = ProcessHandle.current().parent().orElseThrow().pid();
    Path stale = Files.createDirectory(instances.resolve("kvm-clock-selftests-999999999"));
    Path used = Files.createDirectory(instances.resolve("kvm-clock-selftests-" + living));
    Path other = Files.createDirectory(instances.resolve("kvm-clock-selftests-mine"));

    assertThrows(IOException.class, () -> KernelEvents.open(List.of(tracefs)));

    assertFalse(Files.exists(stale));
    assertTrue(Files.exists(used));
    assertTrue(Files.exists(other));
  }
}
