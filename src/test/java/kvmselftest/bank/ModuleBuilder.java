package kvmselftest.bank;

import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;
import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import kvmselftest.host.HostException;
import kvmselftest.host.cache.FileTree;
import kvmselftest.host.kernel.CpuVendor;
import kvmselftest.host.process.Tool;

/**
 * Builds KVM's modules with a bug in them, and keeps them.
 *
 * @param tree where
 * @param vendor whose CPUs they are for: those for the other's are left out
 */
record ModuleBuilder(KernelTree tree, CpuVendor vendor) {
  private static final Duration BOUND = Duration.ofMinutes(20);

  /** Whether {@link #build} has nothing to do. */
  boolean isBuilt(SeededBug bug) {
    return Files.isDirectory(folder(bug));
  }

  /** The folder with the two modules, built now if they are not there yet. */
  Path build(SeededBug bug) throws BankException, HostException {
    return build(folder(bug), bug.name(), () -> apply(bug));
  }

  /** The same without a bug. */
  Path buildUnchanged() throws BankException, HostException {
    return build(folder("unchanged"), "the unchanged source", () -> {});
  }

  private interface Change {
    void make() throws BankException, HostException;
  }

  /** One at a time, whichever process builds: all use one tree. */
  private Path build(Path folder, String what, Change change) throws BankException, HostException {
    try (FileChannel lock =
        FileChannel.open(
            tree.folder().resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      lock.lock(); // until it is closed
      if (!Files.isDirectory(folder)) {
        restore();
        change.make();
        make(what);
        keep(folder);
      }
      return folder;
    } catch (IOException e) {
      throw new BankException("cannot build " + what + ": " + e, e);
    }
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

  private void make(String what) throws BankException, HostException {
    String leftOut = vendor == CpuVendor.AMD ? "CONFIG_KVM_INTEL=" : "CONFIG_KVM_AMD=";
    List<String> words =
        List.of("make", "-s", "-j2", "KCFLAGS=-g0", leftOut, "M=arch/x86/kvm", "modules");
    Tool.Result result = new Tool(words, tree.source(), BOUND).run();
    if (result.status() != 0) {
      String error =
          result
              .output()
              .lines()
              .filter(line -> line.contains("error:") || line.contains("ERROR"))
              .findFirst()
              .orElse(result.lastLine());
      throw new BankException(what + " does not build: " + error);
    }
  }

  private void keep(Path kept) throws IOException, BankException, HostException {
    Path partial = kept.resolveSibling("partial");
    FileTree.delete(partial);
    Files.createDirectories(partial);
    for (String module : List.of("kvm.ko", vendor.module() + ".ko")) {
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
    return folder(hash(bug.diff()));
  }

  private Path folder(String name) {
    String built = vendor == CpuVendor.AMD ? "built" : "built-" + vendor.module();
    return tree.folder().resolve(built).resolve(name);
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
