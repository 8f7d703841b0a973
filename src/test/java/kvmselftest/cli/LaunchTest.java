package kvmselftest.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import kvmselftest.runner.Demands;
import kvmselftest.runner.ExitStatus;
import kvmselftest.runner.SeenBehaviour;
import kvmselftest.runner.Selftests;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LaunchTest {
  private static final Selftests SAMPLES =
      new Selftests(List.of("kvmselftest.runner.Samples$Passing"), List.of("sample"));

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private final List<String> inEmulatedHost = new ArrayList<>();
  private final Map<String, String> environment = new HashMap<>();
  private final List<String> tried = new ArrayList<>();

  @Test
  void usesThisMachineIfItCan() {
    assertEquals(ExitStatus.PASSED, launch(Optional.empty()));

    assertTrue(text(out).startsWith("Running on this machine's KVM: "), text(out));
    assertTrue(text(out).endsWith("# Totals: pass:5 fail:0 xfail:0 xpass:0 skip:0 error:0\n"));
  }

  @Test
  void usesTheEmulatedHostOtherwiseAndSaysWhy() {
    assertEquals(ExitStatus.SKIPPED, launch(Optional.of("/dev/kvm: ENOENT: load the module")));

    assertEquals(
        "Running on the emulated KVM host, because /dev/kvm: ENOENT: load the module\n", text(out));
  }

  @Test
  void usesTheEmulatedHostIfItsKernelIsGiven() {
    String kernel = existing().toString();

    launch(Optional.empty(), "--kernel", kernel, "--tests", "observes,*Cases", "--verbose");

    assertEquals("Running on the emulated KVM host, because --kernel is given\n", text(out));
    assertEquals(
        List.of(
            "--forwarded",
            "1",
            "120",
            "false",
            "true",
            "false",
            "",
            "false",
            "false",
            "false",
            "false",
            "false",
            "observes",
            "*Cases"),
        inEmulatedHost);
  }

  @Test
  void saysWhatKernelDoesBeforeTheTests() {
    launch(Optional.empty(), "--native", "--tests", "observes");

    assertTrue(text(out).startsWith("# behaviour: a.b legacy\nok "), text(out));
  }

  @ParameterizedTest
  @ValueSource(strings = {"--list", "--help", "--version", "--emulated", "--frob"})
  void looksAtNoKernelUnlessItIsTested(String option) {
    launch(Optional.empty(), option);

    assertEquals(List.of(), tried);
  }

  @Test
  void tellsTheEmulatedHostToBeStrict() {
    launch(Optional.empty(), "--emulated", "--strict");

    assertEquals(new Demands(false, true), ForwardedRun.of(List.copyOf(inEmulatedHost)).demands());
  }

  @Test
  void bootsNothingForPatternThatMatchesNothing() {
    assertEquals(ExitStatus.FAILED, launch(Optional.empty(), "--emulated", "--tests", "slip"));

    assertTrue(text(out).startsWith("error: --tests 'slip' matches no test\nThere are:\n"));
    assertEquals(List.of(), inEmulatedHost);
  }

  @Test
  void saysWhereTheReportIs(@TempDir Path folder) {
    launch(Optional.empty(), "--native", "--report", folder.toString());

    assertTrue(text(out).startsWith("report: " + folder + "\n"), text(out));
    assertTrue(Files.exists(folder.resolve("report.html")));
  }

  @Test
  void failsIfTheReportCannotBeWritten() {
    assertEquals(ExitStatus.FAILED, launch(Optional.empty(), "--native", "--report", "/proc/x"));

    assertTrue(text(out).startsWith("error: cannot write to /proc/x: "), text(out));
  }

  @Test
  void usesThisMachineIfTold() {
    assertEquals(
        ExitStatus.PASSED, launch(Optional.of("no KVM"), "--native", "--tests", "observes"));

    assertTrue(text(out).endsWith("# Totals: pass:1 fail:0 xfail:0 xpass:0 skip:0 error:0\n"));
  }

  @Test
  void listsTests() {
    assertEquals(ExitStatus.PASSED, launch(Optional.of("no KVM"), "--list", "--tests", "*s"));

    assertEquals("Samples.Passing.hasCases\nSamples.Passing.observes\n", text(out));
  }

  @Test
  void emptiesTheCacheFolder(@TempDir Path folder) throws Exception {
    Path cache = folder.resolve("kvm-clock-selftests");
    Files.createDirectories(cache.resolve("old"));
    environment.put("XDG_CACHE_HOME", folder.toString());

    assertEquals(ExitStatus.PASSED, launch(Optional.empty(), "--clean"));

    assertEquals("emptied " + cache + ": 0 MB\n", text(out));
    assertFalse(Files.exists(cache.resolve("old")));
  }

  @Test
  void failsToListNothing() {
    assertEquals(ExitStatus.FAILED, launch(Optional.empty(), "--list", "--tests", "nothing"));

    assertEquals("error: no test matches nothing\n", text(err));
  }

  @Test
  void showsHelpWithExitStatusesAndExamples() {
    assertEquals(ExitStatus.PASSED, launch(Optional.empty(), "--help"));

    assertTrue(text(out).contains("Usage: run-selftests.sh [OPTION]..."), text(out));
    assertTrue(text(out).contains("\nExit status:\n   0   passed"), text(out));
    assertTrue(text(out).contains("\nExamples:\n"), text(out));
    assertTrue(text(out).lines().allMatch(line -> line.length() <= 80), text(out));
  }

  @Test
  void showsVersions() {
    assertEquals(ExitStatus.PASSED, launch(Optional.empty(), "-V"));

    assertTrue(text(out).startsWith("kvm-clock-selftests "), text(out));
    assertTrue(text(out).contains("\nJava " + System.getProperty("java.version")), text(out));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--frob                     | Unknown option: '--frob'",
        "file                       | Unmatched argument at index 0: 'file'",
        "--repeat 0                 | --repeat: 0 is not in range, 1 or more",
        "--repeat many              | Invalid value for option '--repeat': 'many' is not an int",
        "--timeout -1               | --timeout: -1 is not in range, 1 or more",
        "--cpus 65                  | --cpus: 65 is not in range, 1 to 64",
        "--memory 16                | --memory: 16 is not in range, 512 or more",
        "--native --append x        | --native and --append exclude each other: --append is of the"
            + " emulated host",
        "--trace                    | --trace needs --report, the folder for trace.txt and"
            + " trace.jsonl",
        "--tests ,                  | --tests: the pattern is empty",
        "--native --emulated        | --native and --emulated exclude each other",
        "--native --cpus 2          | --native and --cpus exclude each other: --cpus is of the"
            + " emulated host",
        "--native --accel kvm       | --native and --accel exclude each other: --accel is of the"
            + " emulated host",
        "--accel hvf                | Invalid value for option '--accel': expected one of [AUTO,"
            + " KVM, TCG] (case-insensitive) but was 'hvf'",
        "--kernel /no/such          | --kernel: /no/such does not exist",
        "--kernel debian:2.6        | --kernel: debian:2.6 is not one of 5.10, 6.1, 6.12, 7.2,"
            + " latest",
        "--kernel a.deb:b.deb       | --kernel: a.deb does not exist",
        "--modules /etc/passwd      | --modules: /etc/passwd is not a folder",
        "--report /etc/passwd       | --report: /etc/passwd is not a folder",
        "--matrix ,                 | --matrix: a kernel's name is empty",
        "--matrix debian:6.1,x      | --matrix: x does not exist",
        "--matrix debian:2.6        | --matrix: debian:2.6 is not one of 5.10, 6.1, 6.12, 7.2,"
            + " latest",
        "--matrix debian:6.1,debian:6.1 | --matrix: debian:6.1 is named twice",
        "--matrix x --kernel y      | --matrix and --kernel exclude each other: name all kernels in"
            + " --matrix",
        "--ktap --matrix debian:6.1 | --matrix and --ktap exclude each other: --matrix prints a"
            + " table",
        "--native --matrix debian:6.1 | --native and --matrix exclude each other: --matrix is of"
            + " the emulated host",
        "--compare x                | option '--compare' at index 0 (BEFORE AFTER) requires at"
            + " least 2 values, but only 1 were specified: [x]",
        "--compare / /              | --compare: / has no results.json: it is no report folder, or"
            + " of a version before there was one",
        "--compare a b --cpus 2     | --compare and --cpus exclude each other: --compare runs"
            + " nothing",
        "--kernel                   | Missing required parameter for option '--kernel' (PATH)",
      })
  void refusesWhatMakesNoSense(String arguments, String complaint) {
    assertEquals(ExitStatus.USAGE, launch(Optional.empty(), arguments.split(" ")));

    assertEquals("error: %s\nTry 'run-selftests.sh --help'.\n".formatted(complaint), text(err));
    assertEquals("", text(out));
  }

  @ParameterizedTest
  @ValueSource(strings = {"always", "ALWAYS"})
  void coloursIfTold(String when) {
    launch(Optional.empty(), "--native", "--color", when);

    assertTrue(text(out).contains("\u001b[32mok"), text(out));
  }

  @Test
  void comparesWithoutARun(@TempDir Path folder) {
    launch(Optional.empty(), "--native", "--report", folder + "/all");
    launch(Optional.empty(), "--native", "--report", folder + "/one", "--tests", "observes");
    out.reset();

    assertEquals(
        ExitStatus.FAILED,
        launch(Optional.of("no KVM"), "--compare", folder + "/all", folder + "/one"));
    assertTrue(text(out).startsWith("Only before: 4\n  Samples.Passing."), text(out));
    out.reset();
    assertEquals(
        ExitStatus.PASSED,
        launch(Optional.of("no KVM"), "--compare", folder + "/one", folder + "/one"));
    assertEquals("Nothing differs.\n", text(out));
  }

  private Path existing() {
    return Path.of(System.getProperty("java.home"), "release");
  }

  private ExitStatus launch(Optional<String> kvmUnusable, String... arguments) {
    return new Launch(
            () -> SAMPLES,
            () -> kvmUnusable,
            () -> Stream.of("legacy").peek(tried::add).map(seen -> new SeenBehaviour("a.b", seen)),
            (options, forwarded, report, told, errors) -> {
              inEmulatedHost.addAll(forwarded);
              return ExitStatus.SKIPPED;
            },
            environment,
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8))
        .run(arguments);
  }

  private static String text(ByteArrayOutputStream stream) {
    return stream.toString(StandardCharsets.UTF_8);
  }
}
