package kvmselftest.bank;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import kvmselftest.host.HostException;
import kvmselftest.host.Progress;
import kvmselftest.host.process.Tool;

/**
 * A tree in which the KVM modules of one kernel build, made by seeded-bugs/kernel-tree.sh.
 *
 * @param folder where it is
 */
record KernelTree(Path folder) {
  private static final Duration BOUND = Duration.ofMinutes(30);

  static KernelTree of(Path script, String release, Progress progress)
      throws HostException, BankException {
    progress.step("source and headers of Linux " + release);
    Tool.Result result =
        new Tool(List.of(script.toString(), release), Path.of("").toAbsolutePath(), BOUND).run();
    if (result.status() != 0) {
      throw new BankException(result.lastLine());
    }
    return new KernelTree(Path.of(result.lastLine()));
  }

  /** Where {@code patch -p1} and {@code make} work. */
  Path source() {
    return folder.resolve("tree");
  }

  /** What the patches are for. */
  Path pristine() {
    return folder.resolve("pristine");
  }
}
