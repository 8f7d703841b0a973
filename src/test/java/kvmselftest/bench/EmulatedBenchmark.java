package kvmselftest.bench;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;
import kvmselftest.cli.SuiteClassPath;
import kvmselftest.host.Accelerator;
import kvmselftest.host.CommandEnd;
import kvmselftest.host.EmulatedHost;
import kvmselftest.host.HostCommand;
import kvmselftest.host.HostException;
import kvmselftest.host.HostResult;
import kvmselftest.host.HostRun;
import kvmselftest.host.JavaProgram;
import kvmselftest.host.NativeProgram;
import kvmselftest.host.Progress;
import kvmselftest.host.cache.CacheFolder;
import kvmselftest.host.debian.BusyboxFinder;
import kvmselftest.host.debian.Packages;
import kvmselftest.host.debian.QemuFinder;
import kvmselftest.host.kernel.Kernel;
import kvmselftest.host.kernel.KernelChoice;
import kvmselftest.host.kernel.KernelResolver;
import kvmselftest.host.qemu.Qemu;

/**
 * Boots the emulated host with the C programs beside the suite, for bench/run.sh.
 *
 * <p>Arguments: what to run in there ({@code measure}, {@code c} or {@code memory}), the folder of
 * upstream's tests, kvm_bench, the folder of the guest blobs, and the number of rounds.
 */
final class EmulatedBenchmark {
  private static final List<String> UPSTREAM =
      List.of("system_counter_offset_test", "kvm_clock_test", "tsc_msrs_test");

  private static final List<String> BLOBS =
      List.of("system_counter_offset_test.bin", "kvm_clock_test.bin");

  private static final String KVM_BENCH = "/c/kvm_bench /c/blobs";

  /** MemAvailable five times a second, kB, for as long as the machine runs. */
  private static final String SAMPLE_MEMORY =
      "while sleep 0.2; do while read -r key value _; do"
          + " case $key in MemAvailable: | MemTotal:) echo $key $value;; esac;"
          + " done </proc/meminfo; done >/report/meminfo &";

  private EmulatedBenchmark() {}

  public static void main(String[] args) throws HostException {
    int rounds = Integer.parseInt(args[4]);
    CacheFolder cache = CacheFolder.ofUser(System.getenv());
    Progress progress = line -> System.out.println("# " + line);
    List<HostCommand> commands =
        switch (args[0]) {
          case "measure" -> measurements(rounds);
          case "c" -> upstream(UPSTREAM);
          case "memory" ->
              List.of(new NativeProgram("/bin/sh", "-c", SAMPLE_MEMORY), selftests(List.of()));
          default -> throw new IllegalArgumentException("not to be run: " + args[0]);
        };
    HostRun run =
        hostRun(cache, progress, commands)
            .withFiles(files(Path.of(args[1]), Path.of(args[2]), Path.of(args[3])))
            .withReport(Path.of("").toAbsolutePath());
    PeakOfQemu peak = PeakOfQemu.watch();
    HostResult result = new EmulatedHost(cache, progress, System.out).run(run);
    System.out.println("peak QEMU " + peak.kib() + " kB");
    System.exit(report(result, commands));
  }

  /**
   * Cold brackets as the tests themselves print them, each test in a process of its own as in C;
   * then round trips and brackets warmed up.
   */
  private static List<HostCommand> measurements(int rounds) {
    List<HostCommand> commands = new ArrayList<>();
    for (int i = 0; i < rounds; i++) {
      commands.addAll(upstream(UPSTREAM.subList(0, 2)));
      commands.add(selftests(List.of("SystemCounterOffsetTest")));
      commands.add(selftests(List.of("KvmClockTest.guestReads*")));
    }
    commands.add(benchmark("javaC1", rounds, List.of()));
    commands.add(benchmark("javaC2", rounds, List.of("-XX:TieredStopAtLevel=4")));
    return commands;
  }

  private static List<HostCommand> upstream(List<String> tests) {
    return tests.stream().<HostCommand>map(test -> new NativeProgram("/c/" + test)).toList();
  }

  private static JavaProgram selftests(List<String> patterns) {
    List<String> arguments = new ArrayList<>(List.of("--native", "--verbose", "--color=never"));
    if (!patterns.isEmpty()) {
      arguments.addAll(List.of("--tests", String.join(",", patterns)));
    }
    return new JavaProgram("kvmselftest.cli.Main", arguments);
  }

  /** The first 40 % of the rounds are for the JVM to warm up; bench/run.sh leaves them out. */
  private static JavaProgram benchmark(String side, int rounds, List<String> jvmOptions) {
    return new JavaProgram(
        "kvmselftest.bench.Benchmark",
        List.of(
            side,
            KVM_BENCH,
            String.valueOf(5 * rounds),
            "run:500",
            "ucall:500",
            "tsc:100",
            "kvmclock:100"),
        jvmOptions);
  }

  private static HostRun hostRun(CacheFolder cache, Progress progress, List<HostCommand> commands)
      throws HostException {
    Packages packages = Packages.ofMachine(cache);
    Kernel kernel =
        new KernelResolver(packages, cache)
            .resolve(new KernelChoice.Default(), Optional.empty(), progress);
    return new HostRun(
            kernel,
            new Qemu(new QemuFinder(packages).find(Optional.empty(), progress), Accelerator.TCG),
            new BusyboxFinder(packages).find(progress),
            SuiteClassPath.jars(),
            commands)
        .withTraining(
            new JavaProgram(
                "kvmselftest.cli.Main",
                List.of("--native"),
                List.of("-Dkvmselftest.device=/nonexistent")));
  }

  private static Map<String, Path> files(Path upstream, Path kvmBench, Path blobs) {
    Map<String, Path> files = new TreeMap<>();
    UPSTREAM.forEach(test -> files.put("/c/" + test, upstream.resolve(test)));
    BLOBS.forEach(blob -> files.put("/c/blobs/" + blob, blobs.resolve(blob)));
    files.put("/c/kvm_bench", kvmBench);
    return files;
  }

  /** A line for each command; 1 if one of them failed. */
  private static int report(HostResult result, List<HostCommand> commands) {
    IntStream.range(0, commands.size())
        .forEach(i -> System.out.println(line(commands.get(i), result.ends().get(i))));
    System.out.printf("# from QEMU's start to its end: %d ms%n", result.whole().toMillis());
    return result.ends().stream().allMatch(EmulatedBenchmark::isGood) ? 0 : 1;
  }

  private static String line(HostCommand command, CommandEnd end) {
    String name =
        switch (command) {
          case JavaProgram program -> program.mainClass();
          case NativeProgram program -> program.words().getFirst();
        };
    long peak = end instanceof CommandEnd.Exited exited ? exited.peakKib() : 0;
    return "peak " + name + " " + peak + " kB, " + end;
  }

  private static boolean isGood(CommandEnd end) {
    return end instanceof CommandEnd.Exited exited && exited.status() == 0;
  }
}
