package kvmselftest.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.jar.JarFile;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import kvmselftest.kvm.Kvm;
import kvmselftest.results.HostFacts;
import kvmselftest.runner.Console;
import kvmselftest.runner.Demands;
import kvmselftest.runner.ExitStatus;
import kvmselftest.runner.Selection;
import kvmselftest.runner.SelftestRun;
import kvmselftest.runner.Selftests;
import kvmselftest.runner.TestWatch;
import kvmselftest.runner.View;

/**
 * What the JVM's AOT cache for the emulated host is made from: as much of a run as needs no KVM.
 * What has been loaded and linked here is mapped there, instead of being loaded and linked by an
 * emulated CPU. Runs on the machine that makes the image; its device must not exist ({@link
 * Kvm#DEVICE_PROPERTY}), so that it touches no KVM even where there is one.
 */
public final class AotTraining {
  /** Tests that need no KVM and use JUnit, the TSC and guest memory as the selftests do. */
  private static final Selftests WITHOUT_KVM =
      new Selftests(
          List.of(
              "kvmselftest.x86.LongModeTest",
              "kvmselftest.x86.HostTscTest",
              "kvmselftest.migration.ClockSnapshotJsonTest"),
          List.of("training"));

  /** Packages that a run in there uses, bindings first of all. */
  private static final Pattern USED =
      Pattern.compile(
          "kvmselftest/(bindings|guest|kvm|migration|probe|results|runner|sys|x86)/.*\\.class");

  private AotTraining() {}

  /** Its output is thrown away; how it ends does not matter. */
  public static void main(String[] arguments) throws IOException {
    allSkipped().of(Selftests.ofSuite(), System.out).run();
    runWithoutKvm();
    initializeAll();
  }

  private static ForwardedRun allSkipped() {
    return new ForwardedRun(
        Selection.of(List.of(), true),
        1,
        Duration.ofMinutes(1),
        Demands.NONE,
        View.PLAIN,
        false,
        Optional.of(Path.of("report")));
  }

  private static ExitStatus runWithoutKvm() {
    Console console = Console.of(System.out, System.err, new View(false, true, false, false));
    return new SelftestRun(
            WITHOUT_KVM,
            Selection.all(),
            1,
            Duration.ofMinutes(1),
            Demands.NONE,
            Stream::empty,
            () -> HostFacts.UNKNOWN,
            null,
            console,
            TestWatch.NONE)
        .run();
  }

  /** The generated classes compute their layouts when they are initialized, which takes long. */
  private static void initializeAll() {
    try (JarFile jar = new JarFile(ownJar().toFile())) {
      jar.stream()
          .map(entry -> entry.getName())
          .filter(USED.asMatchPredicate())
          .filter(name -> !name.endsWith("package-info.class"))
          .forEach(AotTraining::initialize);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void initialize(String entry) {
    String name = entry.substring(0, entry.length() - ".class".length()).replace('/', '.');
    try {
      Class.forName(name);
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException("a class of this jar is not in it", e);
    }
  }

  private static Path ownJar() {
    try {
      return Path.of(AotTraining.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException("a jar whose location is no URI", e);
    }
  }
}
