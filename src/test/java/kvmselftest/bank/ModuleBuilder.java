package kvmselftest.bank;

import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;
import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import kvmselftest.host.HostException;
import kvmselftest.host.cache.FileTree;
import kvmselftest.host.process.Tool;

/** Builds kvm.ko and kvm-amd.ko with a bug in them, and keeps them. */
record ModuleBuilder(KernelTree tree) {
  private static final Duration BOUND = Duration.ofMinutes(20);
  private static final List<String> MODULES = List.of("kvm.ko", "kvm-amd.ko");

  /** KVM for Intel's CPUs is left out: the emulated host has none of them. */
  private static final List<String> MAKE =
      List.of("make", "-s", "-j2", "KCFLAGS=-g0", "CONFIG_KVM_INTEL=", "M=arch/x86/kvm", "modules");

  /** Whether {@link #build} has nothing to do. */
  boolean isBuilt(SeededBug bug) {
    return Files.isDirectory(folder(bug));
  }

  /** The folder with the two modules, built now if they are not there yet. */
  Path build(SeededBug bug) throws BankException, HostException {
    if (!isBuilt(bug)) {
      try {
        restore();
        apply(bug);
        make(bug);
        keep(bug);
      } catch (IOException e) {
        throw new BankException("cannot build " + bug.name() + ": " + e, e);
      }
    }
    return folder(bug);
  }

  /** Undoes the patch that was built last, whatever became of that build. */
  private void restore() throws IOException {
    try (Stream<Path> files = Files.walk(tree.pristine())) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path used = tree.source().resolve(tree.pristine().relativize(file).toString());
        if (Files.notExists(used) || Files.mismatch(file, used) >= 0) {
          Files.copy(file, used, REPLACE_EXISTING); // with the time of now, for make to see
        }
      }
    }
  }

  private void apply(SeededBug bug) throws BankException, HostException {
    // What it cannot apply it would leave beside the source: in memory rather.
    List<String> words =
        List.of("patch", "-p1", "-s", "-F0", "-r", "-", "-i", bug.patch().toString());
    Tool.Result result = new Tool(words, tree.source(), BOUND).run();
    if (result.status() != 0) {
      throw new BankException(bug.name() + " does not apply: " + result.lastLine());
    }
  }

  private void make(SeededBug bug) throws BankException, HostException {
    Tool.Result result = new Tool(MAKE, tree.source(), BOUND).run();
    if (result.status() != 0) {
      String error =
          result
              .output()
              .lines()
              .filter(line -> line.contains("error:") || line.contains("ERROR"))
              .findFirst()
              .orElse(result.lastLine());
      throw new BankException(bug.name() + " does not build: " + error);
    }
  }

  private void keep(SeededBug bug) throws IOException, BankException, HostException {
    Path kept = folder(bug);
    Path partial = kept.resolveSibling("partial");
    FileTree.delete(partial);
    Files.createDirectories(partial);
    for (String module : MODULES) {
      Path built = tree.source().resolve("arch/x86/kvm").resolve(module);
      List<String> words =
          List.of("strip", "-g", "-o", partial.resolve(module).toString(), built.toString());
      Tool.Result result = new Tool(words, tree.source(), BOUND).run();
      if (result.status() != 0) {
        throw new BankException("strip fails: " + result.lastLine());
      }
    }
    Files.move(partial, kept, ATOMIC_MOVE);
  }

  private Path folder(SeededBug bug) {
    return tree.folder().resolve("built").resolve(hash(bug.diff()));
  }

  private static String hash(String diff) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      byte[] hash = digest.digest(diff.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(hash, 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java has it
    }
  }
}
