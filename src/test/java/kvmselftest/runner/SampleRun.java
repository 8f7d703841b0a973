package kvmselftest.runner;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import kvmselftest.results.HostFacts;
import org.jspecify.annotations.Nullable;

/** A run of some of the samples, and what it printed. */
final class SampleRun {
  /** No machine's. */
  static final HostFacts HOST =
      new HostFacts(
          "6.1.0-sample",
          "sample CPU",
          "tsc",
          "kvm_amd",
          "emulated",
          "sample emulator 1",
          Map.of("KVM_CAP_ADJUST_CLOCK", 14));

  private final ByteArrayOutputStream text = new ByteArrayOutputStream();
  private final ByteArrayOutputStream errors = new ByteArrayOutputStream();
  private final List<String> classes;
  private Selection selection = new Selection(List.of(), false);
  private int repeat = 1;
  private boolean verbose;
  private boolean colour;
  private boolean failedOnly;
  private boolean ktap;
  private Demands demands = Demands.NONE;
  private TestWatch watch = TestWatch.NONE;
  private List<SeenBehaviour> behaviours = List.of();
  private Duration timeout = Duration.ofSeconds(60);
  private @Nullable ReportFolder report;

  private SampleRun(List<String> classes) {
    this.classes = classes;
  }

  static SampleRun of(Class<?>... classes) {
    return new SampleRun(Arrays.stream(classes).map(Class::getName).toList());
  }

  SampleRun tests(String... patterns) {
    selection = Selection.of(List.of(patterns), false);
    return this;
  }

  SampleRun thorough() {
    selection = Selection.all();
    return this;
  }

  SampleRun repeat(int times) {
    repeat = times;
    return this;
  }

  SampleRun verbose() {
    verbose = true;
    return this;
  }

  SampleRun failedOnly() {
    failedOnly = true;
    return this;
  }

  SampleRun ktap() {
    ktap = true;
    return this;
  }

  SampleRun colour() {
    colour = true;
    return this;
  }

  SampleRun failOnSkip() {
    demands = new Demands(true, false);
    return this;
  }

  SampleRun strict() {
    demands = new Demands(false, true);
    return this;
  }

  SampleRun watch(TestWatch by) {
    watch = by;
    return this;
  }

  SampleRun behaviours(SeenBehaviour... seen) {
    behaviours = List.of(seen);
    return this;
  }

  SampleRun timeout(Duration bound) {
    timeout = bound;
    return this;
  }

  SampleRun report(Path folder) throws IOException {
    report = ReportFolder.create(folder);
    return this;
  }

  ExitStatus run() {
    PrintStream out = new PrintStream(text, true, StandardCharsets.UTF_8);
    Selftests samples = new Selftests(classes, List.of("sample"));
    PrintStream err = new PrintStream(errors, true, StandardCharsets.UTF_8);
    Console console = Console.of(out, err, new View(colour, verbose, failedOnly, ktap));
    PrintStream outBefore = System.out;
    PrintStream errBefore = System.err;
    try {
      return new SelftestRun(
              samples,
              selection,
              repeat,
              timeout,
              demands,
              behaviours::stream,
              () -> HOST,
              report,
              console,
              watch)
          .run();
    } finally {
      // A run of a test that never ends goes on capturing what is printed.
      System.setOut(outBefore);
      System.setErr(errBefore);
    }
  }

  String errors() {
    return errors.toString(StandardCharsets.UTF_8);
  }

  String text() {
    return text.toString(StandardCharsets.UTF_8);
  }
}
