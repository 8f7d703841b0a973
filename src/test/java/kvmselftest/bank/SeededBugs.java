package kvmselftest.bank;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kvmselftest.host.HostException;
import kvmselftest.host.Progress;
import kvmselftest.host.cache.CacheFolder;
import kvmselftest.host.debian.BusyboxFinder;
import kvmselftest.host.debian.Packages;
import kvmselftest.host.kernel.Kernel;
import kvmselftest.host.kernel.KernelChoice;
import kvmselftest.host.kernel.KernelResolver;
import kvmselftest.host.process.Tool;
import picocli.CommandLine;

/** The command that seeded-bugs/run.sh starts. Its first argument is the project's folder. */
final class SeededBugs {
  private static final int FAILED = 1;
  private static final int USAGE = 64;

  private final Path root;
  private final BankOptions options;
  private final Progress progress = line -> System.err.println("seeded-bugs: " + line);
  private final CacheFolder cache = CacheFolder.ofUser(System.getenv());

  private SeededBugs(Path root, BankOptions options) {
    this.root = root;
    this.options = options;
  }

  public static void main(String[] args) {
    Path root = Path.of(args[0]);
    BankOptions options = new BankOptions();
    CommandLine line = new CommandLine(options);
    try {
      line.parseArgs(List.of(args).subList(1, args.length).toArray(String[]::new));
    } catch (CommandLine.ParameterException e) {
      System.err.println("error: " + e.getMessage() + "; see seeded-bugs/run.sh --help");
      System.exit(USAGE);
    }
    if (options.help) {
      line.usage(System.out);
      System.exit(0);
    }
    try {
      System.exit(new SeededBugs(root, options).run());
    } catch (HostException | BankException | IOException e) {
      System.err.println("error: " + e.getMessage());
      System.exit(FAILED);
    }
  }

  private int run() throws HostException, BankException, IOException {
    List<SeededBug> bugs =
        SeededBug.in(options.kind.patches(root)).stream().filter(options::selects).toList();
    if (bugs.isEmpty() || options.batch < 1) {
      System.err.println("error: no bug is selected; see seeded-bugs/run.sh --list");
      return USAGE;
    }
    if (options.list) {
      bugs.forEach(bug -> System.out.println(bug.name() + ": " + bug.title()));
      return 0;
    }
    cache.use(progress); // until this process ends
    Packages packages = Packages.ofMachine(cache);
    Kernel kernel =
        new KernelResolver(packages, cache, options.kind.vendor())
            .resolve(new KernelChoice.Default(), Optional.empty(), progress);
    KernelTree tree =
        KernelTree.of(root.resolve("seeded-bugs/kernel-tree.sh"), kernel.release(), progress);
    ModuleBuilder builder = new ModuleBuilder(tree, options.kind.vendor());
    Path unchanged = builder.buildUnchanged();
    Map<SeededBug, Path> modules = build(builder, bugs);
    return options.buildOnly ? 0 : report(host(packages, kernel), unchanged, modules);
  }

  /** All that build are built, whatever becomes of the others. */
  private Map<SeededBug, Path> build(ModuleBuilder builder, List<SeededBug> bugs)
      throws BankException, HostException {
    Map<SeededBug, Path> modules = new LinkedHashMap<>();
    List<String> failures = new ArrayList<>();
    for (SeededBug bug : bugs) {
      try {
        if (!builder.isBuilt(bug)) {
          progress.step("building " + bug.name());
        }
        modules.put(bug, builder.build(bug));
      } catch (BankException e) {
        failures.add(String.valueOf(e.getMessage()));
      }
    }
    if (!failures.isEmpty()) {
      throw new BankException(String.join("\n", failures));
    }
    return modules;
  }

  private BankHost host(Packages packages, Kernel kernel) throws HostException, BankException {
    return new BankHost(
        cache,
        kernel,
        options.kind,
        options.kind.emulator(packages, progress),
        new BusyboxFinder(packages).find(progress),
        options.noUpstream ? root : upstream(),
        options.noUpstream ? List.of() : options.kind.upstream(),
        root.resolve("target/seeded-bugs"));
  }

  /** The folder of upstream's C tests. */
  private Path upstream() throws HostException, BankException {
    List<String> words = List.of(root.resolve("bench/upstream.sh").toString());
    progress.step("upstream's C tests");
    Tool.Result result = new Tool(words, root, Duration.ofMinutes(30)).run();
    if (result.status() != 0) {
      throw new BankException(result.lastLine());
    }
    return Path.of(result.lastLine());
  }

  private int report(BankHost host, Path unchanged, Map<SeededBug, Path> modules)
      throws HostException, BankException {
    Map<String, Path> byName = new LinkedHashMap<>();
    modules.forEach((bug, folder) -> byName.put(bug.name(), folder));
    String kernel = host.kernel().release();
    Map<String, Verdict> verdicts =
        new Trials(host::run, options.batch, progress, soFar -> keep(table(modules, soFar), kernel))
            .of(unchanged, byName);
    BankTable table = table(modules, verdicts);
    System.out.print(markdown(table, kernel));
    table.missed().forEach(name -> System.err.println("error: not caught: " + name));
    return table.missed().isEmpty() ? 0 : FAILED;
  }

  /** Of those that have been tried. */
  private BankTable table(Map<SeededBug, Path> modules, Map<String, Verdict> verdicts) {
    Map<SeededBug, Verdict> byBug = new LinkedHashMap<>();
    for (SeededBug bug : modules.keySet()) {
      Verdict verdict = verdicts.get(bug.name());
      if (verdict != null) {
        byBug.put(bug, verdict);
      }
    }
    return new BankTable(byBug, !options.noUpstream);
  }

  private void keep(BankTable table, String kernel) throws BankException {
    if (options.table == null) {
      return;
    }
    try {
      Files.writeString(options.table, markdown(table, kernel));
    } catch (IOException e) {
      throw new BankException("cannot write " + options.table + ": " + e, e);
    }
  }

  private static String markdown(BankTable table, String kernel) {
    return table.markdown(LocalDate.now(ZoneId.systemDefault()), kernel);
  }
}
