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
import kvmselftest.host.kernel.KernelChoice;
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

  @Override
  public ExitStatus run(Options options, List<String> arguments, PrintStream out) {
    Progress progress = out::println;
    try {
      CacheFolder cache = CacheFolder.ofUser(System.getenv());
      Path report = report(options.report);
      HostRun run = hostRun(options, arguments, cache, progress);
      int status =
          new EmulatedHost(cache, progress, out)
              .run(report == null ? run : run.withReport(report))
              .exitStatus(0);
      return verdict(status);
    } catch (HostException e) {
      out.println("error: " + e.getMessage());
      return ExitStatus.FAILED;
    }
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

  private static @Nullable Path report(@Nullable Path wanted) throws HostException {
    try {
      return wanted == null ? null : ReportFolder.create(wanted).path();
    } catch (IOException e) {
      throw new HostException("cannot write the report folder " + wanted + ": " + e, e);
    }
  }

  private static HostRun hostRun(
      Options options, List<String> arguments, CacheFolder cache, Progress progress)
      throws HostException {
    Packages packages = Packages.ofMachine(cache);
    Kernel kernel =
        new KernelResolver(packages)
            .resolve(kernelChoice(options), Optional.ofNullable(options.modules), progress);
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

  private static KernelChoice kernelChoice(Options options) {
    return options.kernel == null
        ? new KernelChoice.Default()
        : new KernelChoice.Image(options.kernel);
  }

  private static List<Path> classPath() {
    return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
        .map(Path::of)
        .filter(jar -> OUTSIDE_ONLY.stream().noneMatch(jar.getFileName().toString()::startsWith))
        .toList();
  }

  /** A run in which every test is skipped, since it is told of a device that does not exist. */
  private static JavaProgram training() {
    ForwardedRun allSkipped =
        new ForwardedRun(
            new Options().selection(),
            1,
            Duration.ofMinutes(1),
            false,
            false,
            false,
            Path.of("report"));
    return new JavaProgram(
        Main.class.getName(),
        allSkipped.arguments(),
        List.of("-D" + Kvm.DEVICE_PROPERTY + "=/nonexistent"));
  }

  private static Machine machine(Options options) {
    return Machine.STANDARD
        .withCpus(Objects.requireNonNullElse(options.cpus, Machine.STANDARD.cpus()))
        .withMemoryMib(Objects.requireNonNullElse(options.memoryMib, Machine.STANDARD.memoryMib()));
  }

  private static Duration runBound(Options options) {
    return Bounds.STANDARD.run().multipliedBy(options.repeat);
  }
}
