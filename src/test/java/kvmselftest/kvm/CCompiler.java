package kvmselftest.kvm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** The C compiler of this machine, as {@code cc}. */
final class CCompiler {

  private static final long TIMEOUT_SECONDS = 60;

  /** What it said; {@code output} has both streams. */
  record Result(int status, String output) {}

  private final Path directory;

  /**
   * @param directory where sources and programs go
   */
  CCompiler(Path directory) {
    this.directory = directory;
  }

  /**
   * Preprocesses {@code source}, keeping the definitions of macros and the names of files.
   *
   * @throws IOException when there is no {@code cc}
   */
  Result preprocess(String source) throws IOException, InterruptedException {
    Path file = Files.writeString(directory.resolve("probe.c"), source);
    return run(List.of("cc", "-E", "-dD", file.toString()));
  }

  /**
   * The values of all facts' expressions by the headers of this machine, in their order.
   *
   * @param options for the compiler, such as {@code -I} with a directory that goes before the
   *     system's
   * @throws AssertionError with the compiler's words when an expression does not compile: the
   *     header has no such field or constant
   */
  List<Long> evaluate(List<CFact> facts, String... options)
      throws IOException, InterruptedException {
    Path source = Files.writeString(directory.resolve("facts.c"), program(facts));
    Path program = directory.resolve("facts");
    List<String> compile = new ArrayList<>(List.of("cc", "-w", source.toString()));
    Collections.addAll(compile, options);
    Collections.addAll(compile, "-o", program.toString());
    require(run(compile), "compile");
    return require(run(List.of(program.toString())), "run").lines().map(Long::valueOf).toList();
  }

  private static String program(List<CFact> facts) {
    return facts.stream()
        .map(fact -> "  printf(\"%%lld\\n\", (long long)(%s));\n".formatted(fact.expression()))
        .collect(
            Collectors.joining(
                "",
                """
                #include <linux/kvm.h>
                #include <stddef.h>
                #include <stdio.h>

                int main(void) {
                """,
                "}\n"));
  }

  private static String require(Result result, String what) {
    if (result.status() != 0) {
      throw new AssertionError(
          "The C program of the bindings' facts did not %s:%n%s".formatted(what, result.output()));
    }
    return result.output();
  }

  private Result run(List<String> command) throws IOException, InterruptedException {
    Path output = directory.resolve("output");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError("%s took over %d s".formatted(command, TIMEOUT_SECONDS));
    }
    return new Result(process.exitValue(), Files.readString(output));
  }
}
