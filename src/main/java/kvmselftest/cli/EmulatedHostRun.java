package kvmselftest.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import kvmselftest.host.Accelerator;
import kvmselftest.host.EmulatedHost;
import kvmselftest.host.HostException;
import kvmselftest.host.HostRun;
import kvmselftest.host.JavaProgram;
import kvmselftest.host.Machine;
import kvmselftest.host.NestedKvm;
import kvmselftest.host.Progress;
import kvmselftest.host.cache.CacheFolder;
import kvmselftest.host.cache.CacheUse;
import kvmselftest.host.debian.BusyboxFinder;
import kvmselftest.host.debian.Packages;
import kvmselftest.host.emulator.Emulator;
import kvmselftest.host.kernel.Kernel;
import kvmselftest.host.kernel.KernelResolver;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Requirement;
import kvmselftest.runner.ExitStatus;
import kvmselftest.runner.ReportFolder;
import org.jspecify.annotations.Nullable;

/** The emulated host of {@code kvmselftest.host}, put to this use. */
final class EmulatedHostRun implements EmulatedRun {
  /** More than any run takes, and within what busybox's sleep counts to. */
  private static final Duration LONGEST = Duration.ofDays(30);

  private final CacheFolder cache;

  EmulatedHostRun(CacheFolder cache) {
    this.cache = cache;
  }

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
      EmulatedReport written = new EmulatedReport(report);
      written.begin();
      return new WatchedRun(output, noVerdict -> written.end(noVerdict, output))
          .run(() -> boot(options, arguments, written, output));
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

  private ExitStatus boot(
      Options options, List<String> arguments, EmulatedReport report, ForwardedOutput output)
      throws HostException {
    Progress progress = output.told()::println;
    try (CacheUse _ = cache.use(progress)) {
      HostRun run = hostRun(options, arguments, progress);
      report.host(run.kernel().release(), run.emulator().name());
      HostRun reported = report.path().map(run::withReport).orElse(run);
      return verdict(
          new EmulatedHost(cache, progress, output.asPrintStream()).run(reported).exitStatus(0));
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

  private HostRun hostRun(Options options, List<String> arguments, Progress progress)
      throws HostException {
    Packages packages = Packages.ofMachine(cache);
    Progress ifVerbose = options.verbose ? progress : line -> {};
    Accelerator accelerator =
        options.accel().decide(Requirement.KVM::unmet, NestedKvm.ofMachine(), ifVerbose);
    // First, as the user chose it and the emulator may have to be fetched.
    Kernel kernel =
        new KernelResolver(packages, cache, options.host().vendor(accelerator))
            .resolve(options.kernelChoice(), Optional.ofNullable(options.modules), progress);
    Emulator emulator = options.host().emulator(packages, accelerator, options.qemu, progress);
    return new HostRun(
            kernel,
            emulator,
            new BusyboxFinder(packages).find(progress),
            SuiteClassPath.jars(),
            List.of(
                new JavaProgram(
                    Main.class.getName(),
                    arguments,
                    List.of("-D" + HostInspection.EMULATOR + "=" + emulator.name()))))
        .withTraining(training())
        .withMachine(machine(options))
        .withBounds(options.host().bounds().withRun(runBound(options)));
  }

  private static JavaProgram training() {
    return new JavaProgram(
        AotTraining.class.getName(),
        List.of(),
        List.of("-D" + Kvm.DEVICE_PROPERTY + "=/nonexistent"));
  }

  static Machine machine(Options options) {
    return Machine.STANDARD
        .withCpus(Objects.requireNonNullElse(options.cpus, Machine.STANDARD.cpus()))
        .withMemoryMib(Objects.requireNonNullElse(options.memoryMib, Machine.STANDARD.memoryMib()))
        .withKernelArguments(String.join(" ", options.append));
  }

  /** As long as all rounds may take, and one test in the last of them. */
  private static Duration runBound(Options options) {
    Duration bound =
        options
            .host()
            .bounds()
            .run()
            .multipliedBy(options.repeat)
            .plus(Duration.ofSeconds(options.timeoutSeconds));
    return bound.compareTo(LONGEST) < 0 ? bound : LONGEST;
  }
}
