package kvmselftest.review;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class MatrixTextTest {
  private final Matrix matrix =
      new Matrix(
          List.of(
              new Matrix.Column(
                  "old",
                  new SampleResults()
                      .pass("ATest.one")
                      .pass("ATest.two")
                      .skip("BTest.three", "no TSC scaling")
                      .skip("BTest.four", "no TSC scaling")
                      .skip("BTest.five", "no TSC scaling")
                      .of("passed", "")),
              new Matrix.Column(
                  "new",
                  new SampleResults()
                      .pass("ATest.one")
                      .fail("ATest.two", "observed 2 | <b>\nexpected 1")
                      .skip("BTest.three", "no TSC scaling")
                      .pass("BTest.five [1] x")
                      .of("failed", ""))));

  @Test
  void saysWhyAsFootnotes() {
    assertEquals(
        """
        old           new
        6.1.0-sample  6.1.0-sample  Linux
        passed        failed        verdict
        2/0/3         2/1/1         passed/failed/skipped

        pass          pass          ATest (the other 1 test)
        pass          FAIL [1]      ATest.two
        skip [2]      skip [2]      BTest.three
        skip [2]      -             BTest.four
        skip [2]      pass          BTest.five [1] x

        [1] observed 2 | <b>
        [2] no TSC scaling
        """,
        String.join("\n", new MatrixText(matrix, false).lines()) + "\n");
  }

  @Test
  void showsEveryTestIfToldTo() {
    List<String> lines = new MatrixText(matrix, true).lines();

    assertTrue(lines.contains("pass          pass          ATest.one"), lines::toString);
    assertFalse(lines.toString().contains("the other"), lines::toString);
  }

  @Test
  void escapesInMarkdown() {
    String text = new MatrixText(matrix, false).markdown();

    assertTrue(text.contains("\n\\[1\\] observed 2 \\| \\<b\\>\n"), text);
    assertTrue(text.contains("| ATest.two | pass | FAIL \\[1\\] |"), text);
  }

  /** One row for those that passed before it died, and one for those that it did not get to. */
  @Test
  void aKernelThatDiedHasWhatItGotTo() {
    SampleResults all =
        new SampleResults()
            .pass("ATest.one")
            .pass("BTest.two")
            .pass("BTest.three")
            .pass("BTest.four")
            .pass("CTest.five")
            .pass("CTest.six");
    SampleResults some =
        new SampleResults()
            .pass("ATest.one")
            .pass("BTest.two")
            .fail("BTest.three", "did not end: Linux panicked");
    Matrix partly =
        new Matrix(
            List.of(
                new Matrix.Column("a", all.ofVerdict()),
                new Matrix.Column("b", some.of("no verdict", "Linux panicked"))));

    assertEquals(
        """
        a             b
        6.1.0-sample  6.1.0-sample    Linux
        passed        no verdict [1]  verdict
        6/0/0         2/1/0           passed/failed/skipped

        pass          pass            ATest (1 test)
        pass          pass            BTest (the other 1 test)
        pass          -               BTest (the other 1 test)
        pass          FAIL [2]        BTest.three
        pass          -               CTest (2 tests)

        [1] Linux panicked
        [2] did not end: Linux panicked
        """,
        String.join("\n", new MatrixText(partly, false).lines()) + "\n");
  }
}
