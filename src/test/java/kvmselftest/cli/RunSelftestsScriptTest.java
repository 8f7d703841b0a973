package kvmselftest.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import kvmselftest.cli.Checkout.Ended;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RunSelftestsScriptTest {
  @TempDir Path folder;
  private Checkout checkout;

  @BeforeEach
  void checkOut() throws IOException {
    checkout = Checkout.in(folder);
  }

  @Test
  void startsTheLauncherWithTheArguments() throws IOException {
    Ended ended = checkout.run("--tests", "a b*", "--report", "");

    assertEquals(0, ended.status());
    assertTrue(ended.text().contains("\n--enable-native-access=ALL-UNNAMED\n"), ended.text());
    assertTrue(
        ended.text().endsWith("\nkvmselftest.cli.Main\n--tests\na b*\n--report\n\n"), ended.text());
    String target = checkout.root().resolve("target").toString();
    assertTrue(
        ended
            .text()
            .contains(
                "%s/kvm-clock-selftests-0.1.0.jar:%s/kvm-clock-selftests-0.1.0-tests.jar:%s/lib/junit.jar\n"
                    .formatted(target, target, target)),
        ended.text());
  }

  @Test
  void runsThroughSymbolicLink() throws IOException {
    Path link = Files.createSymbolicLink(folder.resolve("link"), checkout.script());

    Ended ended = Checkout.end(checkout.start(link, "--version"));

    assertEquals(0, ended.status(), ended.text());
    assertTrue(ended.text().endsWith("--version\n"), ended.text());
  }

  @Test
  void buildsOnceForTheSameSources() throws IOException {
    checkout.run();
    Ended second = checkout.run();

    assertEquals(1, checkout.builds());
    assertFalse(second.text().contains("Building"), second.text());
  }

  @Test
  void buildsAgainIfSourceChanged() throws IOException {
    checkout.run();
    Files.writeString(checkout.root().resolve("src/New.java"), "class New {}");
    checkout.run();
    Files.writeString(checkout.root().resolve("src/New.java"), "class Now {}");
    checkout.run();
    Files.delete(checkout.root().resolve("src/New.java"));
    checkout.run();

    assertEquals(4, checkout.builds());
  }

  @ParameterizedTest
  @ValueSource(strings = {"kvm-clock-selftests-0.1.0.jar", "lib/junit.jar", "selftests.stamp"})
  void buildsAgainIfPartOfTheBuildIsGone(String file) throws IOException {
    checkout.run();
    Files.delete(checkout.root().resolve("target").resolve(file));
    checkout.run();

    assertEquals(2, checkout.builds());
  }

  @Test
  void buildsOnceForTwoRunsAtOnce() throws IOException {
    checkout.mvn("echo built >>'%s/builds'; sleep 0.5".formatted(checkout.root()));

    Process one = checkout.start(checkout.script());
    Process two = checkout.start(checkout.script());

    assertEquals(0, Checkout.end(one).status());
    assertEquals(0, Checkout.end(two).status());
    assertEquals(1, checkout.builds());
  }

  @Test
  void showsTheEndOfFailedBuild() throws IOException {
    checkout.mvn("echo 'Main.java:3: error: missing ;' >&2; exit 1");

    Ended ended = checkout.run();

    assertEquals(1, ended.status());
    assertTrue(ended.text().contains("Main.java:3: error: missing ;\n"), ended.text());
    assertTrue(ended.text().contains("error: the build failed"), ended.text());
  }

  @Test
  void saysThatMavenIsMissing() throws IOException {
    checkout.removeMvn();

    Ended ended = checkout.run();

    assertEquals(
        new Ended(1, "error: mvn is missing, which builds the selftests: apt-get install maven\n"),
        ended);
  }

  @Test
  void needsNoMavenOnceBuilt() throws IOException {
    checkout.run();
    checkout.removeMvn();

    assertEquals(0, checkout.run().status());
  }

  @Test
  void archiveHasItsOwnJavaAndNeedsNoBuild() throws IOException {
    checkout.makeArchive();

    Ended ended = checkout.run("--list");

    assertEquals(0, ended.status(), ended.text());
    assertEquals(0, checkout.builds());
    String lib = checkout.root().resolve("lib").toString();
    assertTrue(
        ended
            .text()
            .contains(
                "runtime's\n%s/kvm-clock-selftests-9.jar:%s/kvm-clock-selftests-9-tests.jar:%s/junit.jar\n"
                    .formatted(lib, lib, lib)),
        ended.text());
    assertTrue(ended.text().endsWith("\nkvmselftest.cli.Main\n--list\n"), ended.text());
  }

  @Test
  void passesOlderJdkBy() throws IOException {
    checkout.run();
    checkout.jdk(24);
    checkout.java("echo an older Java");

    assertFalse(checkout.run("--version").text().contains("older"));
  }

  @ParameterizedTest
  @CsvSource({"0, 0", "1, 1", "4, 4", "64, 64", "2, 1", "3, 1", "134, 1", "137, 1"})
  void endsWithStatusOfItsOwnAlone(int ofJava, int expected) throws IOException {
    checkout.java("exit " + ofJava);

    assertEquals(expected, checkout.run().status());
  }

  @Test
  void passesSignalOn() throws IOException {
    checkout.java("trap 'echo so far; exit 143' TERM; echo started; while :; do sleep 0.1; done");
    Process script = checkout.start(checkout.script());
    waitFor("started", script);

    script.toHandle().destroy(); // leaves its output open, as Process.destroy would not
    Ended ended = Checkout.end(script);

    assertEquals(new Ended(1, "so far\nerror: interrupted: no verdict\n"), ended);
  }

  private static void waitFor(String line, Process process) throws IOException {
    StringBuilder text = new StringBuilder();
    while (!text.toString().endsWith(line + "\n")) {
      int next = process.getInputStream().read();
      assertTrue(next >= 0, text::toString);
      text.append((char) next);
    }
  }
}
