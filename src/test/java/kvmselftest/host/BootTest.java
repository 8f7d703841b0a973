package kvmselftest.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class BootTest {
  private static final String SEND = "cat \"${0%/*}/sent\" >\"$results\"\n";

  private final ByteArrayOutputStream shown = new ByteArrayOutputStream();
  private final Path folder;
  private final FakeQemu qemu;
  private final Path reportFolder;

  BootTest(@TempDir Path folder) {
    this.folder = folder;
    qemu = new FakeQemu(folder);
    reportFolder = folder.resolve("report");
  }

  @BeforeEach
  void makeFolders() throws IOException {
    Files.createDirectories(reportFolder);
    Files.createDirectories(folder.resolve("work"));
  }

  @Test
  void handsOnExitStatusOutputAndReport() throws Exception {
    qemu.results(results("exit 4 peak 1234\n"));

    HostResult result = boot(qemu.run("echo hello\n" + SEND));

    assertEquals(List.of(new CommandEnd.Exited(4, 1234)), result.ends());
    assertEquals(4, result.exitStatus(0));
    assertEquals("hello\n", shown());
    assertEquals("<xml/>", Files.readString(reportFolder.resolve("a/TEST.xml")));
    assertEquals("passed\n", verdict());
  }

  @Test
  void programKilledBySignalIsNoVerdict() throws Exception {
    qemu.results(results("Command terminated by signal 11\nexit 0 peak 99\n"));

    HostResult result = boot(qemu.run("echo 'segfault at 0' >\"$console\"\n" + SEND));

    assertEquals(List.of(new CommandEnd.Killed(11)), result.ends());
    assertTrue(messageOf(() -> result.exitStatus(0)).contains("killed by signal 11"));
    assertEquals("console: segfault at 0\n", shown());
    assertEquals("no verdict\n", verdict());
  }

  @Test
  void cutResultsAreNoVerdict() throws Exception {
    Path sent = qemu.results(results("exit 0 peak 1\n"));
    Files.write(sent, Arrays.copyOf(Files.readAllBytes(sent), 150));

    assertFails(qemu.run(SEND), "the results are cut short or garbled");
  }

  @Test
  void resultsWithoutTheirLastEntryAreNoVerdict() throws Exception {
    Map<String, String> entries = results("exit 0 peak 1\n");
    entries.remove("verdict");
    qemu.results(entries);

    assertFails(qemu.run(SEND), "the results are cut short");
  }

  @Test
  void garbledResultsAreNoVerdict() throws Exception {
    assertFails(
        qemu.run("printf 'up\\nresults\\nno archive at all' >\"$results\"\n"),
        "the results are cut short or garbled");
  }

  @Test
  void missingExitStatusIsNoVerdict() throws Exception {
    Map<String, String> entries = results("");
    qemu.results(entries);

    assertFails(qemu.run(SEND), "exit status is missing");
  }

  @Test
  void panicIsToldWithWhatLedToIt() throws Exception {
    String script =
        """
        echo up >"$results"
        cat >"$console" <<END
        [    1.0] Freeing memory
        [    1.5] BUG: kernel NULL pointer dereference, address: 0
        [    1.6] Kernel panic - not syncing: Fatal exception
        END
        """;

    assertFails(
        qemu.run(script),
        "Linux 6.1.0-test panicked: BUG: kernel NULL pointer dereference, address: 0");
    assertTrue(shown().contains("console: [    1.6] Kernel panic"), shown());
  }

  @Test
  void deathOfQemuIsToldWithItsComplaint() throws Exception {
    assertFails(
        qemu.run("echo 'qemu: could not load kernel' >&2\nexit 1\n"),
        "QEMU died: exit status 1: qemu: could not load kernel");
  }

  @Test
  void deathOfQemuBySignalIsTold() throws Exception {
    assertFails(qemu.run("echo up >\"$results\"\nkill -KILL $$\n"), "killed by signal 9");
  }

  @Test
  void hostThatIsNeverUpIsGivenUp() throws Exception {
    HostRun run = qemu.run("sleep 1000\n");

    assertFails(
        run.withBounds(Bounds.STANDARD.withBoot(Duration.ofSeconds(1))), "was not up after 1 s");
    assertFalse(qemu.isAlive());
  }

  @Test
  void hostThatDoesNotEndIsGivenUp() throws Exception {
    HostRun run = qemu.run("echo up >\"$results\"\nsleep 1000\n");

    assertFails(
        run.withBounds(Bounds.STANDARD.withRun(Duration.ofSeconds(1))), "still at work after 1 s");
    assertFalse(qemu.isAlive());
  }

  @Test
  void hostThatGivesUpItsProgramIsTold() throws Exception {
    HostRun run = qemu.run("printf 'up\\nalive\\nlate\\n' >\"$results\"\n");

    assertFails(
        run.withBounds(Bounds.STANDARD.withRun(Duration.ofSeconds(7))), "still at work after 7 s");
  }

  @Test
  void hostThatStandsStillIsGivenUp() throws Exception {
    HostRun run = qemu.run("echo up >\"$results\"\nsleep 1000\n");

    assertFails(
        run.withBounds(Bounds.STANDARD.withSilence(Duration.ofSeconds(1))),
        "no sign of life for 1 s");
    assertFalse(qemu.isAlive());
  }

  @Test
  void hostThatGivesSignsOfLifeIsWaitedFor() throws Exception {
    qemu.results(results("exit 0 peak 1\n"));
    String alive = "for i in 1 2 3 4 5 6; do echo alive >>\"$results\"; sleep 0.5; done\n";

    HostResult result =
        boot(qemu.run(alive + SEND).withBounds(Bounds.STANDARD.withSilence(Duration.ofSeconds(2))));

    assertEquals(0, result.exitStatus(0));
  }

  @Test
  void hostThatTurnsItselfOffBeforeItIsUpIsTold() throws Exception {
    assertFails(qemu.run("exit 0\n"), "turned itself off before it was up");
  }

  @Test
  void moduleThatIsNotTakenIsTold() throws Exception {
    qemu.results(results(""));

    assertFails(
        qemu.run("echo 'module 01-kvm.ko invalid module format' >\"$results\"\n" + append()),
        "does not take the module 01-kvm.ko invalid module format");
  }

  @Test
  void missingDeviceIsTold() throws Exception {
    qemu.results(results(""));

    assertFails(qemu.run("echo 'missing /dev/kvm' >\"$results\"\n" + append()), "has no /dev/kvm");
  }

  @Test
  void qemuThatCannotBeStartedIsTold() throws Exception {
    HostRun run = qemu.run("");
    Files.delete(folder.resolve("qemu"));

    assertTrue(messageOf(() -> boot(run)).startsWith("cannot start QEMU"));
  }

  private static String append() {
    return SEND.replace(" >", " >>");
  }

  private static Map<String, String> results(String status) {
    Map<String, String> entries = new LinkedHashMap<>();
    entries.put("report/a/TEST.xml", "<xml/>");
    entries.put("report/verdict", "passed\n");
    entries.put("status/0", status);
    entries.put("verdict", "complete\n");
    return entries;
  }

  private HostResult boot(HostRun run) throws HostException {
    PrintStream out = new PrintStream(shown, true, StandardCharsets.UTF_8);
    Report report = Report.open(reportFolder);
    return new Boot(run, folder.resolve("work"), report, line -> {}, out)
        .of(folder.resolve("initramfs"));
  }

  /** Also checks that the report folder says that there is no verdict. */
  private void assertFails(HostRun run, String message) throws IOException {
    String failure = messageOf(() -> boot(run));
    assertTrue(failure.startsWith("no verdict: ") && failure.contains(message), failure);
    assertEquals("no verdict\n", verdict());
  }

  private static String messageOf(Executable action) {
    return String.valueOf(assertThrows(HostException.class, action).getMessage());
  }

  private String verdict() throws IOException {
    return Files.readString(reportFolder.resolve("verdict"));
  }

  private String shown() {
    return shown.toString(StandardCharsets.UTF_8);
  }
}
