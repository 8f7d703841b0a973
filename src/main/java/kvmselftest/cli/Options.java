package kvmselftest.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import kvmselftest.host.kernel.KernelChoice;
import kvmselftest.runner.Demands;
import kvmselftest.runner.Selection;
import kvmselftest.runner.View;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The command line, as picocli fills it in. {@link OptionsCheck} says whether it makes sense. */
@Command(
    name = "run-selftests.sh",
    header = "Runs the KVM clock selftests on this machine's KVM or on an emulated KVM host.",
    description = {
      "",
      "Without --native or --emulated: on this machine's KVM if /dev/kvm is usable, "
          + "otherwise on the emulated host (QEMU; no KVM and no root needed)."
    },
    synopsisHeading = "%nUsage: ",
    customSynopsis = "run-selftests.sh [OPTION]...",
    optionListHeading = "%nOptions:%n",
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {
      " 0:passed, though some tests may have been skipped",
      " 1:a test failed, none matched, or there is no verdict",
      " 4:all tests were skipped",
      "64:the command line is wrong, or names what cannot be used"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  run-selftests.sh",
      "  run-selftests.sh --tests SystemCounterOffsetTest --verbose",
      "  run-selftests.sh --kernel ./bzImage --modules ./linux --report ./report",
      "  run-selftests.sh --native --fail-on-skip --repeat 10",
      "  run-selftests.sh --matrix debian:6.1,debian:6.12,debian:7.2",
      "  run-selftests.sh --compare ./before ./after",
      "  run-selftests.sh --ktap >results.ktap"
    },
    versionProvider = Version.class,
    sortOptions = false,
    usageHelpAutoWidth = false)
final class Options implements Cloneable {
  @Option(
      names = "--native",
      description = "Use this machine's /dev/kvm, or skip if there is none.")
  boolean onThisMachine;

  @Option(
      names = "--emulated",
      description = "Use the emulated KVM host, even if /dev/kvm is usable.")
  boolean emulated;

  @Option(
      names = "--host",
      paramLabel = "KIND",
      description =
          "Which emulated host, all of it emulated (implies --emulated): amd (QEMU, SVM), intel "
              + "(Bochs, VMX with TSC scaling) or intel-noscaling (Bochs, VMX without). Default: "
              + "QEMU.",
      converter = HostKindConverter.class)
  @Nullable HostKind chosenHost;

  @Option(
      names = "--kernel",
      paramLabel = "PATH",
      description =
          "Boot this kernel in the emulated host (implies --emulated): a bzImage or vmlinuz, a "
              + "kernel build tree, an unpacked kernel package, .deb files with colons between "
              + "them, debian:5.10, 6.1, 6.12, 7.2 or latest (fetched from Debian), or host (the "
              + "one that runs here). Default: the distribution's own kernel package.")
  @Nullable String kernel;

  @Option(
      names = "--matrix",
      paramLabel = "A,B,C",
      description =
          "Run the tests on each of these kernels, named as for --kernel and parted by commas, and "
              + "show one table (implies --emulated).")
  @Nullable String matrix;

  @Option(
      names = "--modules",
      paramLabel = "DIR",
      description =
          "Search this folder for the kernel's KVM modules (implies --emulated). Those it lacks "
              + "come from the kernel's own package.")
  @Nullable Path modules;

  @Option(
      names = "--qemu",
      paramLabel = "PATH",
      description = "Run this qemu-system-x86_64 (implies --emulated).")
  @Nullable Path qemu;

  @Option(
      names = "--cpus",
      paramLabel = "N",
      description = "CPUs of the emulated host (implies --emulated). Default: 2.")
  @Nullable Integer cpus;

  @Option(
      names = "--memory",
      paramLabel = "MIB",
      description = "Memory of the emulated host in MiB (implies --emulated). Default: 1024.")
  @Nullable Integer memoryMib;

  @Option(
      names = "--accel",
      paramLabel = "WHAT",
      description =
          "What runs the emulated host's CPUs: kvm (this machine's, which must allow nested "
              + "virtualization), tcg (QEMU emulates them) or auto, kvm if it can (implies "
              + "--emulated). Default: auto, with --host tcg.")
  @Nullable AccelChoice accel;

  @Option(
      names = "--append",
      paramLabel = "ARGS",
      description =
          "Add this to the emulated host's kernel command line (implies --emulated), such as "
              + "tsc=unstable. Several: in one word, or the option again.")
  List<String> append = new ArrayList<>();

  @Option(
      names = "--tests",
      paramLabel = "PATTERN",
      description =
          "Run only tests whose class, CLASS.METHOD or display name matches: * and ? as in a "
              + "shell, without them any part of the name; case does not matter. Several: with "
              + "commas, or the option again.")
  List<String> tests = new ArrayList<>();

  @Option(
      names = "--thorough",
      description =
          "Run also what takes long: the tests of the VMM itself, rates, moves of a guest to "
              + "another process, pauses of up to 10 s, realtime over the end of a second.")
  boolean thorough;

  @Option(names = "--list", description = "List the tests instead of running them.")
  boolean list;

  @Option(names = "--repeat", paramLabel = "N", description = "Run the tests N times. Default: 1.")
  int repeat = 1;

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      description = "A test that takes longer is a failure and ends the run. Default: 120.")
  int timeoutSeconds = 120;

  @Option(
      names = "--report",
      paramLabel = "DIR",
      description =
          "Write JUnit XML, results.json, report.html, logs and the verdict to DIR; if there are "
              + "files in it, to a new folder in it.")
  @Nullable Path report;

  @Option(
      names = "--compare",
      arity = "2",
      paramLabel = "BEFORE AFTER",
      hideParamSyntax = true,
      description =
          "Say what differs between two runs, report folders or results.json files, and run "
              + "nothing. Exit status 1 if something got worse.")
  @Nullable List<Path> compare;

  @Option(names = "--fail-on-skip", description = "A test that cannot run here is a failure.")
  boolean failOnSkip;

  @Option(
      names = "--strict",
      description =
          "Where kernels rightly differ, demand what the newest known one does; the header of "
              + "the run says what this kernel does.")
  boolean strict;

  @Option(
      names = "--color",
      paramLabel = "WHEN",
      description = "auto, always or never. Default: auto, on a terminal unless NO_COLOR is set.")
  ColorChoice color = ColorChoice.AUTO;

  @Option(
      names = "--clean",
      description = "Empty the cache folder, unless a run uses it, and do nothing else.")
  boolean clean;

  @Option(
      names = "--ktap",
      description =
          "Write KTAP version 1 to standard output and nothing else; all else goes to standard "
              + "error.")
  boolean ktap;

  @Option(
      names = "--trace",
      description =
          "Write every ioctl about a clock, and the kernel's own events where tracefs can be used, "
              + "to trace.txt and trace.jsonl in the report (needs --report).")
  boolean trace;

  @Option(
      names = "--failed-only",
      description = "Show no lines of tests that passed or were skipped, only the summary's.")
  boolean failedOnly;

  @Option(
      names = {"-v", "--verbose"},
      description = "Show what each test observed.")
  boolean verbose;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help.")
  boolean help;

  @Option(
      names = {"-V", "--version"},
      versionHelp = true,
      description = "Show the version, of Java and the system as well.")
  boolean version;

  /** The options given that only an emulated host can heed. */
  List<String> ofEmulatedHost() {
    return Stream.of(
            chosenHost == null ? "" : "--host",
            kernel == null ? "" : "--kernel",
            matrix == null ? "" : "--matrix",
            modules == null ? "" : "--modules",
            qemu == null ? "" : "--qemu",
            cpus == null ? "" : "--cpus",
            memoryMib == null ? "" : "--memory",
            accel == null ? "" : "--accel",
            append.isEmpty() ? "" : "--append")
        .filter(name -> !name.isEmpty())
        .toList();
  }

  HostKind host() {
    return Objects.requireNonNullElse(chosenHost, HostKind.AMD);
  }

  KernelChoice kernelChoice() {
    if (kernel == null) {
      return new KernelChoice.Default();
    }
    return KernelChoice.of(kernel);
  }

  /** A host that is named is emulated. */
  AccelChoice accel() {
    AccelChoice standard = chosenHost == null ? AccelChoice.AUTO : AccelChoice.TCG;
    return Objects.requireNonNullElse(accel, standard);
  }

  /** The kernels of a matrix, as they were named; none without one. */
  List<String> kernels() {
    return matrix == null
        ? List.of()
        : Arrays.stream(matrix.split(",", -1)).map(String::strip).toList();
  }

  /** All the same, for one kernel of a matrix. */
  Options withKernel(String name) {
    try {
      Options copy = (Options) clone();
      copy.kernel = name;
      copy.matrix = null;
      return copy;
    } catch (CloneNotSupportedException e) {
      throw new AssertionError("this class is cloneable", e);
    }
  }

  Demands demands() {
    return new Demands(failOnSkip, strict);
  }

  View view(Map<String, String> environment) {
    return new View(color.on(environment), verbose, failedOnly, ktap);
  }

  Selection selection() {
    return Selection.of(tests, thorough);
  }
}
