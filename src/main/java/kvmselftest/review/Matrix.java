package kvmselftest.review;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.IntStream;
import kvmselftest.results.Results;
import kvmselftest.results.Status;
import kvmselftest.results.TestResult;
import org.jspecify.annotations.Nullable;

/**
 * The same tests on several kernels: tests down, kernels across.
 *
 * @param columns the kernels, in the order in which they were named
 */
public record Matrix(List<Column> columns) {
  public Matrix {
    columns = List.copyOf(columns);
  }

  /**
   * One kernel.
   *
   * @param kernel as it was named
   * @param results of its run; with the verdict {@code no verdict} if it came to nothing
   */
  public record Column(String kernel, Results results) {}

  /**
   * One test, or those of a class that passed wherever the run got to them.
   *
   * @param name of the test; of the class, with the number of its tests
   * @param cells one for each kernel
   */
  record Row(String name, List<Cell> cells) {}

  /**
   * What became of a test on a kernel.
   *
   * @param word pass, FAIL, skip, or {@code -} where there is nothing to say
   * @param note the number of its footnote; 0 for none
   */
  record Cell(String word, int note) {
    static final Cell PASS = new Cell("pass", 0);
    static final Cell NOTHING = new Cell("-", 0);

    @Override
    public String toString() {
      return note == 0 ? word : "%s [%d]".formatted(word, note);
    }
  }

  /** The footnotes, numbered from 1 on as they are first needed; equal ones are one. */
  static final class Notes {
    private final List<String> texts = new ArrayList<>();

    int number(String text) {
      if (!texts.contains(text)) {
        texts.add(text);
      }
      return texts.indexOf(text) + 1;
    }

    List<String> texts() {
      return List.copyOf(texts);
    }
  }

  /** Whether a test failed on some kernel, or one gave no verdict. */
  public boolean hasFailed() {
    return columns.stream()
        .anyMatch(
            column ->
                !column.results().hasVerdict()
                    || column.results().tests().stream()
                        .anyMatch(test -> test.status() == Status.FAIL));
  }

  /** Whether some test passed on some kernel. */
  public boolean hasPassed() {
    return columns.stream()
        .flatMap(column -> column.results().tests().stream())
        .anyMatch(test -> test.status() == Status.PASS);
  }

  /**
   * The rows, and the footnotes they need.
   *
   * @param everyTest also those that passed on all kernels, one by one
   */
  List<Row> rows(boolean everyTest, Notes notes) {
    List<Map<String, TestResult>> tests =
        columns.stream().map(column -> Worst.byName(column.results())).toList();
    Map<String, Set<String>> classes = new LinkedHashMap<>();
    for (String name : Worst.names(tests)) {
      tests.stream()
          .map(column -> Worst.in(column, name))
          .filter(Objects::nonNull)
          .limit(1)
          .forEach(
              test ->
                  classes.computeIfAbsent(test.className(), _ -> new LinkedHashSet<>()).add(name));
    }
    List<Row> rows = new ArrayList<>();
    classes.forEach((name, of) -> addClass(name, of, tests, everyTest, notes, rows));
    return rows;
  }

  private void addClass(
      String className,
      Set<String> names,
      List<Map<String, TestResult>> runs,
      boolean everyTest,
      Notes notes,
      List<Row> rows) {
    Map<List<Cell>, Integer> passed = new LinkedHashMap<>();
    List<Row> others = new ArrayList<>();
    for (String name : names) {
      List<Cell> cells = runs.stream().map(run -> cell(Worst.in(run, name), notes)).toList();
      if (!everyTest && isPassEverywhere(cells)) {
        passed.merge(cells, 1, Integer::sum);
      } else {
        others.add(new Row(name, cells));
      }
    }
    String rest = others.isEmpty() && passed.size() == 1 ? "" : "the other ";
    passed.forEach(
        (cells, count) -> {
          String tests = count == 1 ? "1 test" : count + " tests";
          rows.add(new Row("%s (%s%s)".formatted(className, rest, tests), cells));
        });
    rows.addAll(others);
  }

  /** That a kernel's run did not get to it is told of once, above. */
  private boolean isPassEverywhere(List<Cell> cells) {
    return IntStream.range(0, cells.size())
        .allMatch(
            i ->
                cells.get(i).equals(Cell.PASS)
                    || (cells.get(i).equals(Cell.NOTHING)
                        && !columns.get(i).results().hasVerdict()));
  }

  private static Cell cell(@Nullable TestResult test, Notes notes) {
    if (test == null) {
      return Cell.NOTHING;
    }
    return switch (test.status()) {
      case PASS -> Cell.PASS;
      case FAIL -> new Cell("FAIL", notes.number(test.reason()));
      case SKIP -> new Cell("skip", notes.number(test.reason()));
    };
  }

  /** What stands below a kernel's name: its release and totals, or that there is no verdict. */
  static List<String> summary(Column column, Notes notes) {
    Results results = column.results();
    String counts =
        "%d/%d/%d"
            .formatted(results.totals().pass(), results.totals().fail(), results.totals().skip());
    String verdict =
        results.hasVerdict()
            ? results.verdict()
            : new Cell(Results.NO_VERDICT, notes.number(results.reason())).toString();
    return List.of(results.host().kernel(), verdict, counts);
  }
}
