package kvmselftest.review;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import kvmselftest.review.Matrix.Cell;
import kvmselftest.review.Matrix.Notes;
import kvmselftest.review.Matrix.Row;

/** A matrix for a terminal, and as Markdown. */
public final class MatrixText {
  private static final List<String> SUMMARY = List.of("Linux", "verdict", "passed/failed/skipped");

  private final Matrix matrix;
  private final Notes notes = new Notes();
  private final List<Row> head = new ArrayList<>();
  private final List<Row> rows;

  /**
   * @param everyTest also those that passed on all kernels, one by one
   */
  public MatrixText(Matrix matrix, boolean everyTest) {
    this.matrix = matrix;
    List<List<String>> summaries =
        matrix.columns().stream().map(column -> Matrix.summary(column, notes)).toList();
    for (int i = 0; i < SUMMARY.size(); i++) {
      int line = i;
      head.add(
          new Row(
              SUMMARY.get(i),
              summaries.stream().map(summary -> new Cell(summary.get(line), 0)).toList()));
    }
    rows = matrix.rows(everyTest, notes);
  }

  /** The names, which are long, come last, so that the columns stay in line. */
  public List<String> lines() {
    List<List<String>> all = new ArrayList<>();
    all.add(line(kernels(), ""));
    head.forEach(row -> all.add(line(words(row), row.name())));
    rows.forEach(row -> all.add(line(words(row), row.name())));
    int[] widths =
        IntStream.range(0, matrix.columns().size())
            .map(i -> all.stream().mapToInt(line -> line.get(i).length()).max().orElse(0))
            .toArray();
    List<String> lines = new ArrayList<>();
    all.forEach(line -> lines.add(aligned(line, widths)));
    lines.add(1 + head.size(), "");
    List<String> texts = notes.texts();
    if (!texts.isEmpty()) {
      lines.add("");
    }
    for (int i = 0; i < texts.size(); i++) {
      lines.add("[%d] %s".formatted(i + 1, texts.get(i)));
    }
    return lines;
  }

  /** The same as a table of GitHub's Markdown. */
  public String markdown() {
    StringBuilder text = new StringBuilder();
    text.append(row("test", kernels()));
    text.append("| --- |").append(" --- |".repeat(matrix.columns().size())).append('\n');
    head.forEach(row -> text.append(row(row.name(), words(row))));
    rows.forEach(row -> text.append(row(row.name(), words(row))));
    List<String> texts = notes.texts();
    for (int i = 0; i < texts.size(); i++) {
      text.append("\n\\[%d\\] %s\n".formatted(i + 1, escaped(texts.get(i))));
    }
    return text.toString();
  }

  private List<String> kernels() {
    return matrix.columns().stream().map(Matrix.Column::kernel).toList();
  }

  private static List<String> words(Row row) {
    return row.cells().stream().map(Cell::toString).toList();
  }

  private static List<String> line(List<String> cells, String name) {
    List<String> line = new ArrayList<>(cells);
    line.add(name);
    return line;
  }

  private static String aligned(List<String> line, int[] widths) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < widths.length; i++) {
      text.append(line.get(i)).append(" ".repeat(widths[i] - line.get(i).length() + 2));
    }
    return text.append(line.getLast()).toString().stripTrailing();
  }

  private static String row(String name, List<String> cells) {
    StringBuilder text = new StringBuilder("| " + escaped(name) + " |");
    cells.forEach(cell -> text.append(' ').append(escaped(cell)).append(" |"));
    return text.append('\n').toString();
  }

  /** No text of a test or a kernel is taken for markup. */
  private static String escaped(String text) {
    return text.replaceAll("([\\\\`*_{}\\[\\]<>()#|!&~])", "\\\\$1").replaceAll("\\R", " ");
  }
}
