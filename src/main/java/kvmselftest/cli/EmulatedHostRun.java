package kvmselftest.cli;

import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import kvmselftest.host.Bounds;
import kvmselftest.host.EmulatedHost;
import kvmselftest.host.HostException;
import kvmselftest.host.HostRun;
import kvmselftest.host.JavaProgram;
import kvmselftest.host.Machine;
import kvmselftest.host.Progress;
import kvmselftest.host.cache.CacheFolder;
import kvmselftest.host.debian.BusyboxFinder;
import kvmselftest.host.debian.Packages;
import kvmselftest.host.debian.QemuFinder;
import kvmselftest.host.kernel.Kernel;
import kvmselftest.host.kernel.KernelResolver;
import kvmselftest.kvm.Kvm;
import kvmselftest.runner.ExitStatus;
import kvmselftest.runner.ReportFolder;
import org.jspecify.annotations.Nullable;

/** The emulated host of {@code kvmselftest.host}, put to this use. */
final class EmulatedHostRun implements EmulatedRun {
  /** Libraries for making an emulated host, which nothing inside of it needs. */
  private static final List<String> OUTSIDE_ONLY =
      List.of("archunit-", "commons-", "slf4j-", "xz-", "zstd-jni-");

  /** More than any run takes, and within what busybox's sleep counts to. */
  private static final Duration LONGEST = Duration.ofDays(30);

  @Override
  public ExitStatus run(
      Options options,
      List<String> arguments,
      @Nullable ReportFolder report,
      PrintStream out,
      PrintStream err) {
    try {
      // Not closed: what is still to be said belongs in it, and then the process ends.
      ForwardedOutput output = output(options, report, out, err);
      return new WatchedRun(output)
          .run(() -> boot(options, arguments, report, output.asPrintStream(), output.told()));
    } catch (IOException e) {
      (options.ktap ? err : out).println("error: cannot write the report: " + e);
      return ExitStatus.FAILED;
    }
  }

  private static ForwardedOutput output(
      Options options, @Nullable ReportFolder report, PrintStream out, PrintStream err)
      throws IOException {
    PrintStream told = kept(options.ktap ? err : out, report, "output.log");
    return options.ktap
        ? ForwardedOutput.ktap(kept(out, report, "results.ktap"), told)
        : ForwardedOutput.text(told);
  }

  private static PrintStream kept(PrintStream out, @Nullable ReportFolder report, String name)
      throws IOException {
    return report == null ? out : LoggedOutput.to(out, report.path().resolve(name));
  }

  private static ExitStatus boot(
      Options options,
      List<String> arguments,
      @Nullable ReportFolder report,
      PrintStream out,
      PrintStream told)
      throws HostException {
    Progress progress = told::println;
    CacheFolder cache = CacheFolder.ofUser(System.getenv());
    HostRun run = hostRun(options, arguments, cache, progress);
    HostRun reported = report == null ? run : run.withReport(report.path());
    return verdict(new EmulatedHost(cache, progress, out).run(reported).exitStatus(0));
  }

  private static ExitStatus verdict(int status) throws HostException {
    return Arrays.stream(ExitStatus.values())
        .filter(known -> known.code() == status)
        .findFirst()
        .orElseThrow(
            () ->
                new HostException(
                    "no verdict: the program in the emulated host ended with status " + status));
  }

  private static HostRun hostRun(
      Options options, List<String> arguments, CacheFolder cache, Progress progress)
      throws HostException {
    Packages packages = Packages.ofMachine(cache);
    Kernel kernel =
        new KernelResolver(packages)
            .resolve(options.kernelChoice(), Optional.ofNullable(options.modules), progress);
    return new HostRun(
            kernel,
            new QemuFinder(packages).find(Optional.ofNullable(options.qemu), progress),
            new BusyboxFinder(packages).find(progress),
            classPath(),
            List.of(new JavaProgram(Main.class.getName(), arguments)))
        .withTraining(training())
        .withMachine(machine(options))
        .withBounds(Bounds.STANDARD.withRun(runBound(options)));
  }

  private static List<Path> classPath() {
    return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
        .map(Path::of)
        .filter(jar -> OUTSIDE_ONLY.stream().noneMatch(jar.getFileName().toString()::startsWith))
        .toList();
  }

  private static JavaProgram training() {
    return new JavaProgram(
        AotTraining.class.getName(),
        List.of(),
        List.of("-D" + Kvm.DEVICE_PROPERTY + "=/nonexistent"));
  }

  private static Machine machine(Options options) {
    return Machine.STANDARD
        .withCpus(Objects.requireNonNullElse(options.cpus, Machine.STANDARD.cpus()))
        .withMemoryMib(Objects.requireNonNullElse(options.memoryMib, Machine.STANDARD.memoryMib()));
  }

  /** As long as all rounds may take, and one test in the last of them. */
  private static Duration runBound(Options options) {
    Duration bound =
        Bounds.STANDARD
            .run()
            .multipliedBy(options.repeat)
            .plus(Duration.ofSeconds(options.timeoutSeconds));
    return bound.compareTo(LONGEST) < 0 ? bound : LONGEST;
  }
}
