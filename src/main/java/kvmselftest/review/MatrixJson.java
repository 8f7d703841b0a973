package kvmselftest.review;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import kvmselftest.results.Results;
import kvmselftest.results.TestResult;

/** A matrix for programs (docs/results.md). */
public final class MatrixJson {
  private static final ObjectMapper JSON = JsonMapper.builder().build();

  private MatrixJson() {}

  /**
   * Writes it.
   *
   * @param folders of each kernel's report, in the order of the columns
   */
  public static void write(Matrix matrix, List<String> folders, Path file) throws IOException {
    ObjectNode root = JSON.createObjectNode();
    root.put("format", "kvm-clock-selftests matrix").put("version", 1);
    ArrayNode kernels = root.putArray("kernels");
    for (int i = 0; i < matrix.columns().size(); i++) {
      kernels.add(kernel(matrix.columns().get(i), folders.get(i)));
    }
    ArrayNode tests = root.putArray("tests");
    List<Map<String, TestResult>> columns =
        matrix.columns().stream().map(column -> Worst.byName(column.results())).toList();
    for (String name : Worst.names(columns)) {
      ObjectNode test = tests.addObject().put("name", name);
      ArrayNode results = test.putArray("results");
      columns.forEach(column -> results.add(result(column, name)));
    }
    JSON.writerWithDefaultPrettyPrinter().writeValue(file.toFile(), root);
  }

  private static ObjectNode kernel(Matrix.Column column, String folder) {
    Results results = column.results();
    ObjectNode kernel =
        JSON.createObjectNode()
            .put("kernel", column.kernel())
            .put("release", results.host().kernel())
            .put("folder", folder)
            .put("verdict", results.verdict())
            .put("durationMs", results.took().toMillis());
    if (!results.reason().isEmpty()) {
      kernel.put("reason", results.reason());
    }
    kernel
        .putObject("totals")
        .put("pass", results.totals().pass())
        .put("fail", results.totals().fail())
        .put("skip", results.totals().skip());
    return kernel;
  }

  private static ObjectNode result(Map<String, TestResult> column, String name) {
    ObjectNode result = JSON.createObjectNode();
    TestResult test = Worst.in(column, name);
    if (test == null) {
      return result.put("status", "absent");
    }
    result.put("status", test.status().word());
    if (!test.message().isEmpty()) {
      result.put("why", test.message());
    }
    return result;
  }
}
