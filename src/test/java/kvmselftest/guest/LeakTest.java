package kvmselftest.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import kvmselftest.Requires;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Requirement;
import kvmselftest.kvm.Vcpu;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;

/** A thousand VMs come and go, and the process has as many files and mappings as before. */
@Tag("vmm")
@Tag("thorough")
@Requires(Requirement.KVM)
class LeakTest {
  private static final int CYCLES = 1000;

  /** Classes, compiled code and threads of the first cycles are the JVM's, not a leak. */
  private static final int WARM_UP = 20;

  private static final GuestBlob BLOB = GuestBlob.named("system_counter_offset_test");

  @Test
  void createRunCloseLeavesNothingBehind(TestReporter reporter) throws IOException {
    cycles(WARM_UP);
    List<String> filesBefore = kvmFiles();
    long sizeBefore = anonymousBytes();

    cycles(CYCLES);

    assertEquals(filesBefore, kvmFiles(), "KVM's files in /proc/self/fd");
    assertEquals(0, mappingsOf("kvm-vcpu"), "kvm_run pages in /proc/self/maps");
    long grown = anonymousBytes() - sizeBefore;
    reporter.publishEntry(
        "anonymous mappings grew by %d KiB in %d cycles".formatted(grown >> 10, CYCLES));
    // The JVM maps memory of its own meanwhile; had one guest in ten been left behind, it would be
    // more.
    assertTrue(
        grown < CYCLES / 10 * Guest.MEMORY_SIZE,
        () -> "anonymous mappings in /proc/self/maps grew by %d bytes".formatted(grown));
  }

  private static void cycles(int count) {
    try (Kvm kvm = Kvm.open()) {
      for (int i = 0; i < count; i++) {
        try (Guest guest = Guest.load(kvm, BLOB)) {
          Vcpu vcpu = guest.createVcpu(0, 0);
          vcpu.run();
          Ucall.sync(vcpu, 0);
        }
      }
    }
  }

  private static List<String> kvmFiles() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
      return files.map(LeakTest::target).filter(target -> target.contains("kvm")).sorted().toList();
    }
  }

  private static String target(Path file) {
    try {
      return Files.readSymbolicLink(file).toString();
    } catch (IOException e) {
      return ""; // closed meanwhile: the listing's own
    }
  }

  private static long mappingsOf(String name) throws IOException {
    return maps().stream().filter(line -> line.contains(name)).count();
  }

  private static long anonymousBytes() throws IOException {
    return maps().stream()
        .map(line -> line.split("\\s+"))
        .filter(fields -> fields.length == 5) // no name
        .map(fields -> fields[0].split("-"))
        .mapToLong(range -> Long.parseLong(range[1], 16) - Long.parseLong(range[0], 16))
        .sum();
  }

  private static List<String> maps() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/maps"));
  }
}
