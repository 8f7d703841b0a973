package kvmselftest.bank;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/** Reads from a report's JUnit XML which tests failed. */
final class FailedTests {
  private FailedTests() {}

  /** Each once, in the order of their names. Empty if there is no report. */
  static List<FailedTest> in(Path report) throws BankException {
    Path xml = report.resolve("TEST-junit-jupiter.xml");
    if (!Files.isRegularFile(xml)) {
      return List.of();
    }
    try {
      Map<String, FailedTest> failed = new TreeMap<>();
      cases(xml)
          .flatMap(FailedTests::failed)
          .forEach(test -> failed.putIfAbsent(test.name(), test));
      return List.copyOf(failed.values());
    } catch (IOException | SAXException | ParserConfigurationException e) {
      throw new BankException("cannot read " + xml + ": " + e.getMessage(), e);
    }
  }

  private static Stream<Element> cases(Path xml)
      throws IOException, SAXException, ParserConfigurationException {
    DocumentBuilder builder = DocumentBuilderFactory.newDefaultInstance().newDocumentBuilder();
    builder.setErrorHandler(null); // which throws as well, and prints nothing
    NodeList cases = builder.parse(xml.toFile()).getElementsByTagName("testcase");
    return IntStream.range(0, cases.getLength()).mapToObj(i -> (Element) cases.item(i));
  }

  /** Nothing if it did not fail. */
  private static Stream<FailedTest> failed(Element testCase) {
    return Stream.of("failure", "error")
        .map(testCase::getElementsByTagName)
        .filter(elements -> elements.getLength() > 0)
        .map(elements -> ((Element) elements.item(0)).getAttribute("message"))
        .map(message -> new FailedTest(shortName(testCase), message));
  }

  /** Of {@code KvmClockTest.flags [3] realtime}: KvmClockTest.flags. */
  private static String shortName(Element testCase) {
    return testCase.getAttribute("name").replaceFirst(" .*", "");
  }
}
