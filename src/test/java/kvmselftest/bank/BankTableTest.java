package kvmselftest.bank;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.time.LocalDate;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class BankTableTest {
  private static final LocalDate DATE = LocalDate.of(2026, 11, 24);

  private static Map<SeededBug, Verdict> verdicts() {
    Map<SeededBug, Verdict> verdicts = new LinkedHashMap<>();
    verdicts.put(
        bug("a"),
        new Verdict(
            List.of(
                new FailedTest("T.a", ""),
                new FailedTest("T.b", ""),
                new FailedTest("T.c", ""),
                new FailedTest("T.d", "")),
            List.of("c_test"),
            ""));
    verdicts.put(bug("b"), Verdict.none("Linux panicked"));
    verdicts.put(bug("c"), new Verdict(List.of(), List.of("c_test"), ""));
    return verdicts;
  }

  private static SeededBug bug(String name) {
    return new SeededBug(name, "Title " + name, "A | B.", "diff", Path.of(name + ".patch"));
  }

  @Test
  void rowSaysWhoCaughtIt() {
    String expected =
        """
        2026-11-24, Linux 6.1: 2 of 3 bugs caught, by upstream's C tests 2.

        | bug | what becomes wrong | caught by | upstream |
        | --- | --- | --- | --- |
        | `a` | Title a. A \\| B. | T.a, T.b, T.c and 1 more | c_test |
        | `b` | Title b. A \\| B. | no verdict: Linux panicked | not caught |
        | `c` | Title c. A \\| B. | **not caught** | c_test |
        """;
    assertEquals(expected, new BankTable(verdicts(), true).markdown(DATE, "6.1"));
  }

  @Test
  void withoutUpstreamThereIsNoSuchColumn() {
    Map<SeededBug, Verdict> one =
        Map.of(bug("a"), new Verdict(List.of(new FailedTest("T.a", "")), List.of(), ""));
    String expected =
        """
        2026-11-24, Linux 6.1: 1 of 1 bugs caught.

        | bug | what becomes wrong | caught by |
        | --- | --- | --- |
        | `a` | Title a. A \\| B. | T.a |
        """;
    assertEquals(expected, new BankTable(one, false).markdown(DATE, "6.1"));
  }

  @Test
  void missedAreNamed() {
    assertEquals(List.of("c"), new BankTable(verdicts(), true).missed());
  }
}
