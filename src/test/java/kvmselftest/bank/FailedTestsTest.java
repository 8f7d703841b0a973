package kvmselftest.bank;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FailedTestsTest {
  private static final String XML =
      """
      <testsuite>
        <testcase name="OneTest.passes" classname="a.b.OneTest"/>
        <testcase name="OneTest.fails [2] 180e9" classname="a.b.OneTest"><failure message="7" type="x"/></testcase>
        <testcase name="OneTest.fails [1] 0" classname="a.b.OneTest"><failure message="8" type="x"/></testcase>
        <testcase name="AnotherTest" classname="a.b.AnotherTest"><error message="none" type="x"/></testcase>
        <testcase name="OneTest.skips" classname="a.b.OneTest"><skipped/></testcase>
      </testsuite>
      """;

  @TempDir private Path report;

  @Test
  void eachMethodIsNamedOnce() throws IOException, BankException {
    write(XML);
    assertEquals(
        List.of(new FailedTest("AnotherTest", "none"), new FailedTest("OneTest.fails", "7")),
        FailedTests.in(report));
  }

  @Test
  void noReportNamesNone() throws BankException {
    assertEquals(List.of(), FailedTests.in(report));
  }

  @Test
  void reportCutShortIsRefused() throws IOException {
    write(XML.substring(0, 80));
    assertThrows(BankException.class, () -> FailedTests.in(report));
  }

  private void write(String xml) throws IOException {
    Files.writeString(report.resolve("TEST-junit-jupiter.xml"), xml);
  }
}
