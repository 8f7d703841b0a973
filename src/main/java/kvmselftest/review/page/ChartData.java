package kvmselftest.review.page;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import kvmselftest.results.Measurement;
import kvmselftest.results.Results;
import kvmselftest.results.TestResult;
import kvmselftest.review.ResultsReader;

/**
 * What the charts of a run are drawn of.
 *
 * @param migrations of each way to migrate the one with the most vCPUs, as the test published it
 * @param floors of each test method and unit the largest floor
 */
record ChartData(List<JsonNode> migrations, List<Floor> floors) {
  private static final String MIGRATION = "chart.migration";
  private static final ObjectMapper JSON = JsonMapper.builder().build();

  /**
   * How small an error shows.
   *
   * @param test class and method
   * @param unit of the floor
   * @param floor the largest of its cases
   * @param values how many values there are
   */
  record Floor(String test, String unit, BigDecimal floor, int values) {
    private Floor and(Floor other) {
      return new Floor(test, unit, floor.max(other.floor), values + other.values);
    }
  }

  static ChartData of(Results results) {
    Map<String, JsonNode> byWay = new LinkedHashMap<>();
    Map<String, Floor> floors = new LinkedHashMap<>();
    for (TestResult test : results.tests()) {
      test.published().charts().forEach((key, value) -> addMigration(key, value, test, byWay));
      for (Measurement value : ResultsReader.measurements(test)) {
        Floor floor = new Floor(method(test), value.unit(), value.floor(), 1);
        floors.merge(floor.test() + ' ' + floor.unit(), floor, Floor::and);
      }
    }
    return new ChartData(List.copyOf(byWay.values()), List.copyOf(floors.values()));
  }

  private static void addMigration(
      String key, String value, TestResult test, Map<String, JsonNode> byWay) {
    if (!key.startsWith(MIGRATION)) {
      return;
    }
    try {
      JsonNode chart = JSON.readTree(value);
      if (isMigration(chart)) {
        ((ObjectNode) chart).put("test", test.name());
        chart.path("samples").forEach(ChartData::keepEveryDigit);
        byWay.merge(
            chart.path("way").asText(),
            chart,
            (old, now) -> now.path("vcpus").asInt() > old.path("vcpus").asInt() ? now : old);
      }
    } catch (JsonProcessingException e) {
      // No chart then; results.json has what the test published.
    }
  }

  /** A number of JavaScript has no more than 53 bits. */
  private static void keepEveryDigit(JsonNode sample) {
    for (String field : List.of("hostNs", "kvmclockNs", "guestTsc")) {
      ((ObjectNode) sample).put(field, sample.path(field).asText());
    }
  }

  private static boolean isMigration(JsonNode chart) {
    return chart.isObject()
        && chart.path("way").isTextual()
        && chart.path("tscKhz").asDouble() > 0
        && !chart.path("samples").isEmpty()
        && chart.path("samples").valueStream().allMatch(ChartData::isSample)
        && chart.at("/tscDifferences/before").isArray()
        && chart.at("/tscDifferences/after").isArray();
  }

  private static boolean isSample(JsonNode sample) {
    return sample.path("guestTsc").asText().matches("\\d+")
        && sample.path("hostNs").isIntegralNumber()
        && sample.path("kvmclockNs").isIntegralNumber();
  }

  /** The name of the test's method, without its case. */
  private static String method(TestResult test) {
    int blank = test.name().indexOf(' ');
    return blank < 0 ? test.name() : test.name().substring(0, blank);
  }

  boolean hasMigration() {
    return !migrations.isEmpty();
  }

  /** The units there are, in the order in which they come. */
  List<String> units() {
    return new ArrayList<>(floors.stream().map(Floor::unit).distinct().toList());
  }

  /** For a script element: nothing in it ends one. */
  String json() {
    ObjectNode root = JSON.createObjectNode();
    ArrayNode all = root.putArray("migrations");
    migrations.forEach(all::add);
    ArrayNode bars = root.putArray("floors");
    for (Floor floor : floors) {
      bars.addObject()
          .put("test", floor.test())
          .put("unit", floor.unit())
          .put("floor", floor.floor())
          .put("values", floor.values());
    }
    return root.toString().replace("<", "\\u003c").replace("\u2028", "\\u2028");
  }
}
