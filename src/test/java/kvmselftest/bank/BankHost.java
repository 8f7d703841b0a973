package kvmselftest.bank;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import kvmselftest.cli.SuiteClassPath;
import kvmselftest.host.CommandEnd;
import kvmselftest.host.EmulatedHost;
import kvmselftest.host.HostCommand;
import kvmselftest.host.HostException;
import kvmselftest.host.HostRun;
import kvmselftest.host.JavaProgram;
import kvmselftest.host.NativeProgram;
import kvmselftest.host.cache.CacheFolder;
import kvmselftest.host.cache.FileTree;
import kvmselftest.host.emulator.Emulator;
import kvmselftest.host.kernel.Kernel;
import kvmselftest.kvm.Kvm;

/**
 * Boots the emulated host, and in it runs the tests on one pair of modules after the other.
 *
 * @param cache of the emulated host
 * @param kernel to boot; its modules are taken out for those to try
 * @param kind which bugs
 * @param emulator to boot it in
 * @param busybox for the image
 * @param upstream the folder of upstream's C tests
 * @param upstreamTests which of them to run
 * @param reports where to put logs and reports
 */
record BankHost(
    CacheFolder cache,
    Kernel kernel,
    BankKind kind,
    Emulator emulator,
    Path busybox,
    Path upstream,
    List<String> upstreamTests,
    Path reports) {
  private static final String BUSYBOX = "/bin/busybox";
  private static final int SKIPPED = 4;

  /**
   * One boot.
   *
   * @param modules folders with KVM's modules, by a name
   * @return what became of each, in the same order
   * @throws HostException if the host comes to no verdict
   */
  Map<String, Verdict> run(SequencedMap<String, Path> modules) throws HostException, BankException {
    List<HostCommand> commands =
        modules.sequencedKeySet().stream().flatMap(this::commands).toList();
    Path report = reports.resolve(reportName(modules));
    List<CommandEnd> ends = boot(modules, commands, report);
    Map<String, Verdict> verdicts = new LinkedHashMap<>();
    int each = commands.size() / modules.size();
    int first = 0;
    for (String name : modules.keySet()) {
      verdicts.put(name, verdict(report.resolve(name), ends.subList(first, first + each)));
      first += each;
    }
    return verdicts;
  }

  /** Of the first and the last. */
  private static String reportName(SequencedMap<String, Path> modules) {
    String first = modules.firstEntry().getKey();
    String last = modules.lastEntry().getKey();
    return modules.size() == 1 ? first : first + "--" + last;
  }

  private Stream<HostCommand> commands(String name) {
    Stream<HostCommand> load = Stream.of(load(name));
    Stream<HostCommand> c =
        upstreamTests.stream()
            .map(
                test ->
                    new NativeProgram(
                        BUSYBOX,
                        "timeout",
                        Long.toString(kind.testBound().toSeconds()),
                        "/c/" + test));
    List<String> arguments = new ArrayList<>(kind.arguments());
    arguments.addAll(List.of("--native", "--color=never", "--report=/report/" + name));
    Stream<HostCommand> suite = Stream.of(new JavaProgram("kvmselftest.cli.Main", arguments));
    return Stream.of(load, c, suite).flatMap(commands -> commands);
  }

  /** Takes out the modules that are in, the last first, and loads these. */
  private NativeProgram load(String name) {
    Stream<String> out =
        kind.modules().reversed().stream()
            .map(module -> "busybox rmmod " + module.replace('-', '_'));
    Stream<String> in =
        kind.modules().stream().map(module -> "insmod /bugs/%s/%s.ko".formatted(name, module));
    String script = Stream.concat(out, in).collect(Collectors.joining(" && "));
    return new NativeProgram("/bin/sh", "-c", script);
  }

  private List<CommandEnd> boot(Map<String, Path> modules, List<HostCommand> commands, Path report)
      throws HostException, BankException {
    try {
      FileTree.delete(report); // what an earlier run left is not this one's
      Files.createDirectories(report);
      Path log = report.resolve("boot.log");
      try (PrintStream out = new PrintStream(log.toFile(), StandardCharsets.UTF_8)) {
        HostRun run = hostRun(commands, modules).withReport(report);
        return new EmulatedHost(cache, out::println, out).run(run).ends();
      }
    } catch (IOException e) {
      throw new BankException("cannot write " + report + ": " + e, e);
    }
  }

  private HostRun hostRun(List<HostCommand> commands, Map<String, Path> modules) {
    return new HostRun(kernel, emulator, busybox, SuiteClassPath.jars(), commands)
        .withTraining(
            new JavaProgram(
                "kvmselftest.cli.AotTraining",
                List.of(),
                List.of("-D" + Kvm.DEVICE_PROPERTY + "=/nonexistent")))
        .withFiles(files(modules))
        .withBounds(kind.bounds(modules.size()));
  }

  private Map<String, Path> files(Map<String, Path> modules) {
    Map<String, Path> files = new TreeMap<>();
    upstreamTests.forEach(test -> files.put("/c/" + test, upstream.resolve(test)));
    modules.forEach(
        (name, folder) -> {
          for (String module : kind.modules()) {
            String file = module + ".ko";
            files.put("/bugs/" + name + "/" + file, folder.resolve(file));
          }
        });
    return files;
  }

  /** From the ends of loading, of upstream's tests and of the suite. */
  private Verdict verdict(Path report, List<CommandEnd> ends) throws BankException {
    if (!hasPassed(ends.getFirst())) {
      return Verdict.none("the modules do not load");
    }
    List<String> upstreamFailed = new ArrayList<>();
    IntStream.range(0, upstreamTests.size())
        .filter(i -> !hasPassed(ends.get(i + 1)))
        .forEach(i -> upstreamFailed.add(upstreamTests.get(i)));
    List<FailedTest> failed = FailedTests.in(report);
    boolean silent = failed.isEmpty() && !hasPassed(ends.getLast());
    return new Verdict(failed, upstreamFailed, silent ? "the suite: " + ends.getLast() : "");
  }

  private static boolean hasPassed(CommandEnd end) {
    return end instanceof CommandEnd.Exited exited
        && (exited.status() == 0 || exited.status() == SKIPPED);
  }
}
