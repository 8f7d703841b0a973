package kvmselftest.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
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
      "64:the command line is wrong, or names a file that is not there"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  run-selftests.sh",
      "  run-selftests.sh --tests SystemCounterOffsetTest --verbose",
      "  run-selftests.sh --kernel ./bzImage --modules ./linux --report ./report",
      "  run-selftests.sh --native --fail-on-skip --repeat 10",
      "  run-selftests.sh --ktap >results.ktap"
    },
    versionProvider = Version.class,
    sortOptions = false,
    usageHelpAutoWidth = false)
final class Options {
  private static final String DEBIAN = "debian:";

  @Option(
      names = "--native",
      description = "Use this machine's /dev/kvm, or skip if there is none.")
  boolean onThisMachine;

  @Option(
      names = "--emulated",
      description = "Use the emulated KVM host, even if /dev/kvm is usable.")
  boolean emulated;

  @Option(
      names = "--kernel",
      paramLabel = "PATH",
      description =
          "Boot this bzImage or vmlinuz in the emulated host (implies --emulated); debian:6.12 "
              + "and the like name a Debian release's. Default: the distribution's own kernel "
              + "package.")
  @Nullable String kernel;

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
          "Run also the tests of the VMM itself, which take minutes on the emulated host.")
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
          "Write JUnit XML, logs and the verdict to DIR; if there are files in it, to a new "
              + "folder in it.")
  @Nullable Path report;

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
            kernel == null ? "" : "--kernel",
            modules == null ? "" : "--modules",
            qemu == null ? "" : "--qemu",
            cpus == null ? "" : "--cpus",
            memoryMib == null ? "" : "--memory")
        .filter(name -> !name.isEmpty())
        .toList();
  }

  KernelChoice kernelChoice() {
    if (kernel == null) {
      return new KernelChoice.Default();
    }
    return kernel.startsWith(DEBIAN)
        ? new KernelChoice.DebianRelease(kernel.substring(DEBIAN.length()))
        : new KernelChoice.Image(Path.of(kernel));
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
