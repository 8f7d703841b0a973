package kvmselftest.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.w3c.dom.NodeList;

class ReportTest {
  @TempDir Path folder;

  @Test
  void holdsVerdictLogAndXml() throws IOException {
    SampleRun run = SampleRun.of(Samples.Passing.class).report(folder.resolve("new/one")).colour();

    run.run();

    Path report = folder.resolve("new/one");
    assertEquals(
        "passed # Totals: pass:5 fail:0 xfail:0 xpass:0 skip:0 error:0\n",
        Files.readString(report.resolve("verdict")));
    assertEquals(
        run.text().replaceAll("\u001b\\[\\d*m", ""), Files.readString(report.resolve("run.log")));
    assertEquals(
        List.of(
            "TEST-junit-jupiter.xml",
            "results.json",
            "results.ktap",
            "run.log",
            "tests",
            "verdict"),
        names(report));
  }

  @Test
  void holdsFileForEachTest() throws IOException {
    SampleRun.of(
            Samples.Passing.class,
            Samples.Failing.class,
            Samples.Skipping.class,
            Samples.Printing.class,
            Samples.WeirdlyNamed.class)
        .report(folder)
        .run();

    Path tests = folder.resolve("tests");
    assertEquals(
        List.of("test: Samples.Passing.observes", "result: ok"),
        Files.readAllLines(tests.resolve("Samples.Passing.observes.log")).subList(0, 2));
    assertTrue(
        log(tests, "Samples.Passing.observes")
            .endsWith("guestTsc = 180000000001 in [180000000000, 180000000009]\n"));
    assertTrue(
        log(tests, "Samples.Failing.compares")
            .contains("\nkvmclock after KVM_SET_CLOCK ==> expected: <42> but was: <41>\n"));
    assertTrue(
        log(tests, "Samples.Skipping.byAssumption")
            .contains("\n" + Samples.BUSY + "\nand a second line\n"));
    assertTrue(
        log(tests, "Samples.Printing.prints").contains("\nstdout = ok 99 this is no result\n"),
        log(tests, "Samples.Printing.prints"));
    assertTrue(log(tests, "Samples.Printing.prints").contains("\nstderr = nor this\n"));
    assertTrue(
        log(tests, "Samples.WeirdlyNamed.has_case_2_SKIP_no")
            .contains("test: Samples.WeirdlyNamed.has case #2 # SKIP no\n"));
    assertEquals(17, names(tests).size());
  }

  @Test
  void keepsFilesOfOneNameApart() throws IOException {
    SampleRun.of(Samples.SameNames.class).report(folder).run();

    assertEquals(
        List.of("Samples.SameNames.has_a-2.log", "Samples.SameNames.has_a.log"),
        names(folder.resolve("tests")));
  }

  private static String log(Path folder, String name) throws IOException {
    return Files.readString(folder.resolve(name + ".log"));
  }

  @Test
  void hasNoVerdictAtFirst() throws IOException {
    assertEquals(
        "no verdict\n", Files.readString(ReportFolder.create(folder).path().resolve("verdict")));
  }

  @Test
  void isNeverOverwritten() throws IOException {
    Files.writeString(folder.resolve("verdict"), "the first\n");

    ExitStatus status = SampleRun.of(Samples.Passing.class).report(folder).run();
    ReportFolder second = ReportFolder.create(folder);
    ReportFolder third = ReportFolder.create(folder);

    assertEquals(ExitStatus.PASSED, status);
    assertEquals("the first\n", Files.readString(folder.resolve("verdict")));
    assertEquals(4, names(folder).size());
    assertFalse(second.equals(third));
  }

  @Test
  void givesTheReasonOfSkipAndNoStackTrace() throws Exception {
    SampleRun.of(Samples.Skipping.class, Samples.SkippedWhole.class).report(folder).run();

    List<String> reasons = texts(xml(folder), "skipped");
    assertEquals(6, reasons.size());
    assertEquals(5, Collections.frequency(reasons, Samples.ABSENT), reasons::toString);
    assertTrue(reasons.contains(Samples.BUSY + "\nand a second line"), reasons::toString);
  }

  @Test
  void keepsFailuresAndWhatWasObserved() throws Exception {
    SampleRun.of(Samples.Failing.class, Samples.FailingSetUp.class).report(folder).run();

    Document xml = xml(folder);
    assertEquals(2, texts(xml, "failure").size());
    assertEquals(1, texts(xml, "error").size());
    List<String> said = texts(xml, "system-out");
    assertTrue(said.stream().anyMatch(text -> text.contains("- clock: 41")), said::toString);
    assertTrue(
        said.contains(
            """
            unique-id: [engine:junit-jupiter]/[class:kvmselftest.runner.Samples$Failing]/[method:throwsUp()]
            display-name: JUnit Jupiter > Samples$Failing > throwsUp()\
            """),
        said::toString);
  }

  @Test
  void holdsTheBehavioursSeen() throws Exception {
    SampleRun.of(Samples.Passing.class)
        .behaviours(new SeenBehaviour("a.b", "legacy"))
        .report(folder)
        .run();

    assertTrue(Files.readString(folder.resolve("run.log")).startsWith("# behaviour: a.b legacy\n"));
    NodeList properties = xml(folder).getElementsByTagName("property");
    assertTrue(
        IntStream.range(0, properties.getLength())
            .mapToObj(i -> properties.item(i).getAttributes())
            .anyMatch(
                property ->
                    property.getNamedItem("name").getNodeValue().equals("kvmselftest.behaviour.a.b")
                        && property.getNamedItem("value").getNodeValue().equals("legacy")));
    assertEquals(null, System.getProperty("kvmselftest.behaviour.a.b"));
  }

  @Test
  void isWrittenWhenTestNeverEnds() throws Exception {
    SampleRun.of(Samples.Passing.class, Samples.Hanging.class)
        .timeout(Duration.ofSeconds(1))
        .report(folder)
        .run();

    List<String> errors = texts(xml(folder), "error");
    assertEquals(1, errors.size());
    assertTrue(errors.getFirst().contains("Samples$Hanging.blocks"), errors::toString);
    assertTrue(Files.readString(folder.resolve("verdict")).startsWith("failed # Totals: pass:5"));
  }

  @Test
  void hasFolderForEachRound() throws Exception {
    SampleRun.of(Samples.Passing.class).report(folder).repeat(2).run();

    assertEquals(
        List.of("results.json", "results.ktap", "round-1", "round-2", "run.log", "verdict"),
        names(folder));
    assertEquals(5, xml(folder.resolve("round-2")).getElementsByTagName("testcase").getLength());
  }

  @Test
  void saysThatNothingMatched() throws IOException {
    SampleRun.of(Samples.Passing.class).tests("slip").report(folder).run();

    assertEquals(
        "failed, a pattern matches no test\n", Files.readString(folder.resolve("verdict")));
  }

  @Test
  void thatCannotBeWrittenIsFailure() throws IOException {
    SampleRun run = SampleRun.of(Samples.Passing.class).report(folder);
    Files.createDirectory(folder.resolve("TEST-junit-jupiter.xml"));

    assertEquals(ExitStatus.FAILED, run.run());

    assertTrue(run.text().contains("FAIL  report\n      Could not write XML report"), run.text());
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private static Document xml(Path folder) throws Exception {
    return DocumentBuilderFactory.newDefaultInstance()
        .newDocumentBuilder()
        .parse(folder.resolve("TEST-junit-jupiter.xml").toFile());
  }

  private static List<String> texts(Document xml, String element) {
    NodeList found = xml.getElementsByTagName(element);
    return IntStream.range(0, found.getLength())
        .mapToObj(i -> found.item(i).getTextContent().strip())
        .toList();
  }
}
