package kvmselftest.bank;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import kvmselftest.host.Accelerator;
import kvmselftest.host.Bounds;
import kvmselftest.host.HostException;
import kvmselftest.host.Progress;
import kvmselftest.host.bochs.Bochs;
import kvmselftest.host.bochs.BochsFinder;
import kvmselftest.host.bochs.BochsModel;
import kvmselftest.host.debian.Packages;
import kvmselftest.host.debian.QemuFinder;
import kvmselftest.host.emulator.Emulator;
import kvmselftest.host.kernel.CpuVendor;
import kvmselftest.host.qemu.Qemu;

/** Which bugs there are, and the emulated host on which they are tried. */
enum BankKind {
  /** All that needs no TSC scaling, by the whole suite. */
  AMD("amd", "patches", CpuVendor.AMD, Duration.ofSeconds(60), Duration.ofMinutes(6), "") {
    @Override
    Emulator emulator(Packages packages, Progress progress) throws HostException {
      return new Qemu(new QemuFinder(packages).find(Optional.empty(), progress), Accelerator.TCG);
    }
  },

  /** What shows only where the TSC is scaled, by the tests of that. */
  INTEL(
      "intel",
      "scaling",
      CpuVendor.INTEL,
      Duration.ofMinutes(5),
      Duration.ofMinutes(30),
      "TscScalingTest,TscKhzTest,TscDeadlineTest.timerOfScaled*,MigrationTest.scaled*,"
          + "MigrationTest.guestOfAlmost*") {
    @Override
    Emulator emulator(Packages packages, Progress progress) throws HostException {
      return new Bochs(new BochsFinder(packages).find(progress), BochsModel.SKYLAKE_X);
    }
  };

  /** Upstream's C tests of what this bank's bugs are in. */
  private static final List<String> UPSTREAM =
      List.of("system_counter_offset_test", "kvm_clock_test", "tsc_msrs_test");

  private final String word;
  private final String folder;
  private final CpuVendor vendor;
  private final Duration testBound;
  private final Duration bugBound;
  private final String tests;

  BankKind(
      String word,
      String folder,
      CpuVendor vendor,
      Duration testBound,
      Duration bugBound,
      String tests) {
    this.word = word;
    this.folder = folder;
    this.vendor = vendor;
    this.testBound = testBound;
    this.bugBound = bugBound;
    this.tests = tests;
  }

  /** Where its patches are. */
  Path patches(Path root) {
    return root.resolve("seeded-bugs").resolve(folder);
  }

  /** Whose modules are built. */
  CpuVendor vendor() {
    return vendor;
  }

  /** The modules that may have a bug, in the order in which they are loaded. */
  List<String> modules() {
    return List.of("kvm", vendor.module());
  }

  List<String> upstream() {
    return this == INTEL
        ? Stream.concat(UPSTREAM.stream(), Stream.of("tsc_scaling_sync")).toList()
        : UPSTREAM;
  }

  /** Arguments of the suite in the host. */
  List<String> arguments() {
    String timeout = "--timeout=" + testBound.toSeconds();
    return tests.isEmpty() ? List.of(timeout) : List.of(timeout, "--tests=" + tests);
  }

  /** How long one of upstream's tests may take. */
  Duration testBound() {
    return testBound;
  }

  /** Of a boot in which so many bugs are tried. A healthy run is over in a fraction of it. */
  Bounds bounds(int bugs) {
    Bounds bounds =
        this == INTEL
            ? Bounds.STANDARD.withBoot(Duration.ofMinutes(15)).withSilence(Duration.ofMinutes(10))
            : Bounds.STANDARD;
    return bounds.withRun(bugBound.multipliedBy(bugs));
  }

  abstract Emulator emulator(Packages packages, Progress progress) throws HostException;

  /** As on the command line. */
  @Override
  public String toString() {
    return word;
  }
}
