package kvmselftest.host;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import kvmselftest.host.emulator.ConsoleLog;
import kvmselftest.host.emulator.RunningEmulator;

/**
 * From the start of the emulator to the results.
 *
 * @param work for files that nobody wants afterwards
 */
record Boot(HostRun run, Path work, Report report, Progress progress, PrintStream out) {
  private static final int CONSOLE_LINES = 15;

  HostResult of(Path initramfs) throws HostException {
    Evidence evidence = Evidence.in(run, work, report);
    long start = System.nanoTime();
    try (RunningEmulator emulator = start(initramfs, evidence)) {
      return watch(emulator, evidence, start);
    } catch (NoVerdictException e) {
      show(evidence.console());
      throw new HostException("no verdict: " + e.getMessage(), e);
    } catch (IOException e) {
      throw new HostException("no verdict: cannot read what the emulated host sent: " + e, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new HostException("no verdict: the run was interrupted", e);
    }
  }

  private RunningEmulator start(Path initramfs, Evidence evidence) throws HostException {
    return run.emulator()
        .start(run.machine(), run.kernel().image(), initramfs, evidence.files(), work);
  }

  private HostResult watch(RunningEmulator emulator, Evidence evidence, long start)
      throws NoVerdictException, HostException, IOException, InterruptedException {
    if (!emulator.awaitUp(evidence.results(), run.bounds().boot())) {
      throw evidence.notUp();
    }
    Duration boot = since(start);
    if (evidence.results().isUp()) {
      progress.step(
          "booted Linux %s in %s (%s)"
              .formatted(run.kernel().release(), seconds(boot), run.emulator().name()));
    }
    emulator.passOutputTo(out);
    Bounds bounds = run.bounds();
    // The host keeps the bound itself, and tells more at its end than one that is killed.
    Duration spare = bounds.run().dividedBy(10);
    switch (emulator.awaitEnd(evidence.results(), bounds.run().plus(spare), bounds.silence())) {
      case LATE -> throw evidence.notEnded();
      case SILENT -> throw evidence.silent();
      case ENDED -> {}
    }
    Outcome outcome = Outcome.unpack(evidence, emulator, work, run.commands().size());
    report.take(outcome);
    if (outcome.anyKilled()) {
      // What killed it may be told there.
      show(evidence.console());
    }
    return new HostResult(outcome.ends(), boot, since(start));
  }

  private void show(ConsoleLog console) {
    console.last(CONSOLE_LINES).forEach(line -> out.println("console: " + line));
  }

  private static Duration since(long start) {
    return Duration.ofNanos(System.nanoTime() - start);
  }

  private static String seconds(Duration time) {
    return String.format(Locale.ROOT, "%.1f s", time.toMillis() / 1000.0);
  }
}
