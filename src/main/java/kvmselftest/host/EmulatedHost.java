package kvmselftest.host;

import java.io.PrintStream;
import java.nio.file.Path;
import kvmselftest.host.cache.CacheFolder;
import kvmselftest.host.image.HostImage;

/**
 * Runs programs on a KVM host that is emulated: a Linux kernel in an emulator of a CPU with AMD's
 * SVM or Intel's VMX. No KVM, no root and no network are needed, and nothing stays behind but the
 * cache and the report.
 *
 * {@snippet :
 * CacheFolder cache = CacheFolder.ofUser(System.getenv());
 * Progress progress = System.out::println;
 * JavaProgram selftests =
 *     new JavaProgram("kvmselftest.cli.Main", List.of("--native", "--report", "/report"));
 * JavaProgram training =
 *     new JavaProgram("kvmselftest.cli.Main", List.of("--native", "--report", "training"));
 * HostRun run =
 *     new HostRun(kernel, new Qemu(installation), busybox, jars, List.of(selftests))
 *         .withTraining(training)
 *         .withReport(Path.of("report"));
 * try {
 *   return new EmulatedHost(cache, progress, System.out).run(run).exitStatus(0);
 * } catch (HostException e) {
 *   System.out.println("error: " + e.getMessage());
 *   return 1;
 * }
 * }
 *
 * @param cache where the image's parts are kept from run to run; a run's own files are in it, too,
 *     until the run ends
 * @param progress told when the image is made and the host is up
 * @param out what the programs write, as they write it; in trouble also the console's last lines
 */
public record EmulatedHost(CacheFolder cache, Progress progress, PrintStream out) {
  /**
   * Runs the commands, and waits for the end of it all. In the report folder a file {@code verdict}
   * holds {@code no verdict} until what the commands left is there.
   *
   * @throws HostException if there is no verdict: the image cannot be made, QEMU or the kernel dies
   *     or hangs, a module is missing, the results are cut, a disk is full, or this thread is
   *     interrupted
   */
  public HostResult run(HostRun run) throws HostException {
    Report report = Report.open(run.report());
    try (WorkFolder work = WorkFolder.create(cache.root().resolve("runs"))) {
      Path initramfs = new HostImage(cache, progress).make(run, work.path());
      if (!run.emulator().parallelCpus()) {
        progress.step(
            run.emulator().name()
                + " runs the emulated CPUs in turns; tests that need them in parallel, and find"
                + " that they are not, skip");
      }
      return new Boot(run, work.path(), report, progress, out).of(initramfs);
    }
  }
}
