package kvmselftest.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import kvmselftest.results.Status;
import kvmselftest.results.TestResult;
import kvmselftest.review.ResultsReader;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/** In one run a test is called the same wherever it is named, however it ended. */
class NamesTest {
  private static final Pattern SUBTEST = Pattern.compile(" {2}(?:not )?ok \\d+ (.*?)(?: # .*)?");
  private static final Pattern CLASS = Pattern.compile(" {2}# Subtest: (.*)");
  private static final Pattern CONSOLE =
      Pattern.compile("(?:ok|FAIL|skip|HUNG) {2,4}(.*?)(?: \\([0-9.]+ m?s\\))?");

  /** Stands in KTAP for what is of no test; elsewhere the class's name alone does. */
  private static final String OWN = "the class itself";

  @TempDir static Path folder;

  @BeforeAll
  static void runSamples() throws Exception {
    SampleRun.of(
            Samples.Plain.class,
            Samples.Passing.class,
            Samples.Failing.class,
            Samples.Skipping.class,
            Samples.SkippedWhole.class,
            Samples.AbortedWhole.class,
            Samples.FailingSetUp.class,
            Samples.FailingTearDown.class,
            Samples.LackingSource.class,
            Samples.WeirdlyNamed.class,
            Samples.Hanging.class,
            Samples.TakingLong.class)
        .timeout(Duration.ofMillis(1200))
        .report(folder)
        .run();
  }

  @Test
  void areTheSameInXml() throws Exception {
    assertEquals(names(), sorted(cases().stream().map(test -> test.getAttribute("name"))));
    assertEquals(
        sorted(tests().stream().map(test -> test.name() + " of " + test.className())),
        sorted(cases().stream().map(test -> test.getAttribute("name") + " of " + className(test))));
  }

  /** KTAP has no room for some characters, which {@link KtapText} replaces. */
  @Test
  void areTheSameInKtap() throws Exception {
    List<String> inKtap = new ArrayList<>();
    String className = "";
    for (String line : Files.readAllLines(folder.resolve("results.ktap"))) {
      Matcher begin = CLASS.matcher(line);
      Matcher result = SUBTEST.matcher(line);
      if (begin.matches()) {
        className = begin.group(1);
      } else if (result.matches()) {
        String name = result.group(1);
        inKtap.add(name.equals(OWN) ? className : className + "." + name);
      }
    }

    assertEquals(sorted(names().stream().map(KtapText::description)), sorted(inKtap.stream()));
  }

  @Test
  void areTheSameOnTheConsole() throws Exception {
    List<String> shown =
        Files.readAllLines(folder.resolve("run.log")).stream()
            .map(CONSOLE::matcher)
            .filter(Matcher::matches)
            .map(line -> line.group(1))
            .toList();

    assertEquals(
        sorted(names().stream().map(name -> name.lines().findFirst().orElseThrow())),
        sorted(shown.stream()));
  }

  /** A test that never ran has none, in XML as well. */
  @Test
  void standForTheSameResults() throws Exception {
    assertEquals(
        sorted(tests().stream().map(test -> test.name() + ": " + test.status())),
        sorted(cases().stream().map(test -> test.getAttribute("name") + ": " + status(test))));
  }

  private static List<String> names() throws Exception {
    return sorted(tests().stream().map(TestResult::name));
  }

  private static List<TestResult> tests() throws Exception {
    return ResultsReader.read(folder).tests();
  }

  private static List<Element> cases() throws Exception {
    NodeList cases =
        DocumentBuilderFactory.newDefaultInstance()
            .newDocumentBuilder()
            .parse(folder.resolve("TEST-junit-jupiter.xml").toFile())
            .getElementsByTagName("testcase");
    return IntStream.range(0, cases.getLength()).mapToObj(i -> (Element) cases.item(i)).toList();
  }

  private static String className(Element test) {
    return test.getAttribute("classname").replace("kvmselftest.runner.", "").replace('$', '.');
  }

  private static Status status(Element test) {
    if (test.getElementsByTagName("skipped").getLength() > 0) {
      return Status.SKIP;
    }
    boolean bad =
        test.getElementsByTagName("failure").getLength() > 0
            || test.getElementsByTagName("error").getLength() > 0;
    return bad ? Status.FAIL : Status.PASS;
  }

  private static List<String> sorted(Stream<String> texts) {
    return texts.sorted().toList();
  }
}
