package kvmselftest.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import kvmselftest.cli.Checkout.Ended;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * {@code bisect-run.sh} with a {@code run-selftests.sh} that only does what the commit says. That
 * git bisect finds a real bug in KVM by it is shown by {@code .ci/bisect}.
 */
class BisectScriptTest {
  @TempDir Path folder;
  private Path tree;
  private Path script;

  @BeforeEach
  void makeTreeAndTool() throws Exception {
    Path tool = Files.createDirectory(folder.resolve("a tool"));
    Path original = Path.of(System.getProperty("kvmselftest.basedir", ".")).toAbsolutePath();
    script = Files.copy(original.resolve("bisect-run.sh"), tool.resolve("bisect-run.sh"));
    executable(
        tool.resolve("run-selftests.sh"),
        """
        if [ "$1" = --list ]; then
          case "$*" in *wrong*) echo 'error: Unknown option' >&2; exit 64 ;; esac
          exit 0
        fi
        while [ "$1" != --report ]; do
          [ ! -e once-more ] || echo 0 >status
          [ "$1" != --passes-the-second-time ] || touch once-more
          echo "argument: $1"
          shift
        done
        [ ! -s verdict ] || cp verdict "$2/verdict"
        exit "$(cat status)"
        """);
    tree = Files.createDirectory(folder.resolve("linux"));
    assumeTrue(git("init", "-q").status() == 0, "git is not installed");
    commit("0", "passed", "exit 0");
  }

  @ParameterizedTest
  @CsvSource({
    "0, 'passed pass:1', 0, is good",
    "1, 'failed pass:1 fail:1', 1, is bad",
    "1, no verdict, 125, it came to no verdict",
    "1, 'no verdict, interrupted', 128, interrupted",
    "1, '', 125, it came to no verdict",
    "4, skipped skip:9, 125, all tests were skipped",
    "64, '', 125, its kernel cannot be tested",
  })
  void verdictBecomesWhatGitWantsToKnow(String status, String verdict, int expected, String said)
      throws Exception {
    commit(status, verdict, "exit 0");

    Ended ended = bisectRun("--build", "sh ./build", "--", "--kernel", "a b");

    assertEquals(expected, ended.status(), ended.text());
    assertTrue(ended.text().contains(said), ended.text());
    assertTrue(ended.text().contains("argument: --kernel\nargument: a b\n"), ended.text());
  }

  @Test
  void kernelWithoutVerdictIsBadIfTold() throws Exception {
    commit("1", "no verdict", "exit 0");

    assertEquals(1, bisectRun("--build", "true", "--no-verdict", "bad", "--").status());
  }

  @Test
  void kernelWithoutVerdictIsTriedOnceMore() throws Exception {
    commit("1", "no verdict", "exit 0");

    Ended ended = bisectRun("--build", "true", "--", "--passes-the-second-time");

    assertEquals(0, ended.status(), ended.text());
    assertTrue(ended.text().contains("came to no verdict: once more"), ended.text());
  }

  @Test
  void commitThatDoesNotBuildIsSkipped() throws Exception {
    Ended ended = bisectRun("--build", "false", "--");

    assertEquals(125, ended.status());
    assertTrue(ended.text().contains("it does not build"), ended.text());
  }

  @ParameterizedTest
  @CsvSource({
    "--build true -- --wrong, Unknown option",
    "--build true -- --report r, before the --",
    "--build true --no-verdict maybe --, skip or bad",
    "--, --build COMMAND is missing",
    "--frob, unknown option --frob",
    "--build, --build needs a value",
  })
  void wrongOptionsStopTheBisection(String options, String said) throws Exception {
    Ended ended = bisectRun(options.split(" "));

    assertEquals(128, ended.status(), ended.text());
    assertTrue(ended.text().contains(said), ended.text());
  }

  @Test
  void keepsReportsByCommit() throws Exception {
    Path reports = folder.resolve("reports");

    bisectRun("--build", "true", "--reports", reports.toString(), "--");

    String commit = git("rev-parse", "--short", "HEAD").text().strip();
    assertEquals("passed\n", Files.readString(reports.resolve(commit).resolve("verdict")));
  }

  @Test
  void gitFindsTheFirstBadCommitThoughAnotherDoesNotBuild() throws Exception {
    commit("0", "passed again", "exit 0");
    commit("0", "passed", "exit 1");
    commit("0", "passed again", "exit 0");
    commit("1", "failed", "exit 0");
    String bad = git("rev-parse", "HEAD").text().strip();
    commit("1", "failed again", "exit 0");
    git("bisect", "start", "HEAD", "HEAD~5");

    Ended ended = git("bisect", "run", script.toString(), "--build", "sh ./build", "--");

    assertTrue(ended.text().contains(bad + " is the first bad commit"), ended.text());
  }

  private void commit(String status, String verdict, String build) throws Exception {
    Files.writeString(tree.resolve("status"), status + "\n");
    Files.writeString(tree.resolve("verdict"), verdict.isEmpty() ? "" : verdict + "\n");
    Files.writeString(tree.resolve("build"), build + "\n");
    git("add", "-A");
    Ended ended = git("commit", "-q", "--allow-empty", "-m", verdict + " " + build);
    assertEquals(0, ended.status(), ended.text());
  }

  private Ended bisectRun(String... arguments) throws Exception {
    List<String> words = new ArrayList<>(List.of(script.toString()));
    words.addAll(List.of(arguments));
    return run(words);
  }

  private Ended git(String... arguments) throws Exception {
    List<String> words =
        new ArrayList<>(List.of("git", "-c", "user.name=a", "-c", "user.email=a@example.org"));
    words.addAll(List.of(arguments));
    return run(words);
  }

  private Ended run(List<String> words) throws Exception {
    try {
      Process process =
          new ProcessBuilder(words).directory(tree.toFile()).redirectErrorStream(true).start();
      String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertTrue(process.waitFor(30, TimeUnit.SECONDS), text);
      return new Ended(process.exitValue(), text);
    } catch (IOException e) {
      return new Ended(127, String.valueOf(e.getMessage()));
    }
  }

  private static void executable(Path file, String text) throws IOException {
    Files.writeString(file, "#!/bin/bash\n" + text);
    assertTrue(file.toFile().setExecutable(true));
  }
}
