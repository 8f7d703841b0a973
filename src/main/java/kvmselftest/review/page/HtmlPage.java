package kvmselftest.review.page;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import kvmselftest.results.HostFacts;
import kvmselftest.results.Measurement;
import kvmselftest.results.Results;
import kvmselftest.results.Status;
import kvmselftest.results.TestResult;
import kvmselftest.review.ResultsReader;

/**
 * Writes {@code report.html}: text and tables without a script, and charts that Apache ECharts
 * draws as SVG. It loads nothing, and its content security policy lets only its own two scripts
 * run, whatever a test or a kernel has said.
 */
public final class HtmlPage {
  /** The file's name in the report folder. */
  public static final String FILE = "report.html";

  private final Results results;
  private final ChartData charts;
  private final Html html = new Html();

  private HtmlPage(Results results) {
    this.results = results;
    this.charts = ChartData.of(results);
  }

  /** Not in the emulated host, whose image has no chart library. */
  public static boolean isPossible() {
    return Script.hasEcharts();
  }

  /**
   * Writes it into a folder.
   *
   * @throws IOException if it cannot be written, or the build lacks its scripts
   */
  public static void write(Results results, Path folder) throws IOException {
    Files.writeString(folder.resolve(FILE), new HtmlPage(results).page());
  }

  private String page() throws IOException {
    Script echarts = Script.echarts();
    Script ours = Script.ours("page.js");
    html.raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    html.raw(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src %s %s; style-src 'unsafe-inline'\">\n"
            .formatted(echarts.hash(), ours.hash()));
    html.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    html.raw("<meta name=\"color-scheme\" content=\"light dark\">\n");
    html.element("title", "KVM clock selftests: " + results.verdict());
    html.element("style", content -> content.raw(style()));
    html.raw("</head>\n<body>\n<main>\n");
    head();
    environment();
    migrationCharts();
    floorCharts();
    tests();
    html.raw("</main>\n");
    html.raw("<script type=\"application/json\" id=\"data\">" + charts.json() + "</script>\n");
    html.raw("<script>" + echarts.text() + "</script>\n");
    html.raw("<script>" + ours.text() + "</script>\n</body>\n</html>\n");
    return html.toString();
  }

  private static String style() {
    try {
      return Script.ours("page.css").text();
    } catch (IOException e) {
      return "";
    }
  }

  private void head() {
    html.element("h1", "KVM clock selftests");
    html.element(
        "p class=\"verdict " + (results.verdict().equals("passed") ? "good" : "bad") + "\"",
        p -> {
          p.raw("<strong>").text(results.verdict()).raw("</strong>");
          p.text(results.reason().isEmpty() ? "" : ": " + results.reason());
        });
    html.element(
        "p",
        "%d passed, %d failed, %d skipped, on Linux %s, in %.1f s, begun at %s"
            .formatted(
                results.totals().pass(),
                results.totals().fail(),
                results.totals().skip(),
                results.host().kernel(),
                results.took().toMillis() / 1000.0,
                results.started().toString().replaceFirst("\\.\\d+Z", "Z")));
  }

  private void environment() {
    HostFacts host = results.host();
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("kernel", host.kernel());
    facts.put("CPU", host.cpu());
    facts.put("clocksource", host.clocksource());
    facts.put("KVM module", host.vendorModule());
    facts.put("machine", host.machine());
    facts.put("emulator", host.emulator());
    facts.put("made by", results.tool());
    html.element("h2", "Environment");
    html.element(
        "div class=\"columns\"",
        div -> {
          table("machine", facts);
          table("behaviour, by probe", results.behaviours());
          Map<String, String> capabilities = new LinkedHashMap<>();
          host.capabilities()
              .forEach(
                  (name, answer) -> capabilities.put(name, "0x" + Integer.toHexString(answer)));
          table("KVM_CHECK_EXTENSION", capabilities);
        });
  }

  private void table(String caption, Map<String, String> rows) {
    html.element(
        "table class=\"facts\"",
        table -> {
          table.element("caption", caption);
          rows.forEach(
              (name, value) ->
                  table.element(
                      "tr",
                      row ->
                          row.element("th scope=\"row\"", th -> th.text(name))
                              .element("td", value.isEmpty() ? "not known" : value)));
          if (rows.isEmpty()) {
            table.element("tr", row -> row.element("td", "not known"));
          }
        });
  }

  private void migrationCharts() {
    html.element("h2", "Across a migration");
    if (!charts.hasMigration()) {
      html.element("p class=\"none\"", p -> p.text("This run has no migration to draw."));
      return;
    }
    html.element(
        "p",
        "A clock that goes on as if it had never stopped stays on the dotted line, on which one"
            + " second of the clock is one second of the host. The grey band is the time between"
            + " source and destination.");
    charts.migrations().forEach(chart -> chart("migration", name(chart)));
    html.element("h3", "Guest TSC of each vCPU against that of vCPU 0");
    charts.migrations().forEach(chart -> chart("differences", name(chart)));
    charts.migrations().forEach(this::differences);
  }

  private static String name(JsonNode chart) {
    return "%s, %d vCPUs, %s"
        .formatted(
            chart.path("way").asText(), chart.path("vcpus").asInt(), chart.path("test").asText());
  }

  /** What the bars show, to the tick. */
  private void differences(JsonNode chart) {
    JsonNode before = chart.path("tscDifferences").path("before");
    JsonNode after = chart.path("tscDifferences").path("after");
    html.element(
        "table class=\"numbers\"",
        table -> {
          table.element("caption", chart.path("way").asText() + ": ticks ahead of vCPU 0");
          table.element(
              "tr",
              row -> List.of("vCPU", "before", "after").forEach(name -> row.element("th", name)));
          for (int i = 0; i < before.size(); i++) {
            int vcpu = i;
            table.element(
                "tr",
                row ->
                    row.element("td", String.valueOf(vcpu))
                        .element("td", before.path(vcpu).asText())
                        .element("td", after.path(vcpu).asText("none")));
          }
        });
  }

  private void floorCharts() {
    html.element("h2", "How small an error shows");
    if (charts.floors().isEmpty()) {
      html.element("p class=\"none\"", p -> p.text("This run has no measured values."));
      return;
    }
    html.element(
        "p",
        "The detection floor of each test that measures, the largest of its cases: an error beyond"
            + " it would have failed the test. Shorter is better; the scale is logarithmic.");
    charts.units().forEach(unit -> chart("floors", unit));
  }

  private void chart(String kind, String name) {
    html.element(
        "figure",
        figure ->
            figure
                .element("figcaption", name)
                .raw("<div class=\"chart\" data-kind=\"" + kind + "\" data-name=\"")
                .text(name)
                .raw("\"></div>\n"));
  }

  private void tests() {
    html.element("h2", "Tests");
    Map<String, List<TestResult>> classes = new LinkedHashMap<>();
    results.tests().stream()
        .sorted((a, b) -> rank(a) - rank(b))
        .forEach(
            test -> classes.computeIfAbsent(test.className(), _ -> new ArrayList<>()).add(test));
    classes.forEach(this::ofClass);
  }

  /** What failed comes first. */
  private static int rank(TestResult test) {
    return test.status() == Status.FAIL ? 0 : 1;
  }

  private void ofClass(String name, List<TestResult> tests) {
    boolean failed = tests.stream().anyMatch(test -> test.status() == Status.FAIL);
    html.element(
        failed ? "details open" : "details",
        details -> {
          details.element("summary", name + " " + counts(tests));
          details.element(
              "div class=\"wide\"",
              wide ->
                  wide.element(
                      "table class=\"tests\"",
                      table -> {
                        table.element(
                            "tr",
                            row ->
                                List.of("result", "test", "measured", "value", "range", "floor")
                                    .forEach(head -> row.element("th", head)));
                        tests.forEach(this::test);
                      }));
        });
  }

  private static String counts(List<TestResult> tests) {
    StringBuilder text = new StringBuilder("(");
    for (Status status : Status.values()) {
      long count = tests.stream().filter(test -> test.status() == status).count();
      if (count > 0) {
        text.append(text.length() > 1 ? ", " : "").append(count).append(' ').append(status.word());
      }
    }
    return text.append(')').toString();
  }

  private void test(TestResult test) {
    List<Measurement> values = ResultsReader.measurements(test);
    int rows = Math.max(1, values.size());
    html.element(
        "tr",
        row -> {
          String word = test.status() == Status.PASS ? "pass" : test.status().word();
          row.element(
              "td rowspan=\"%d\" class=\"%s\"".formatted(rows, word),
              cell -> cell.text(test.status() == Status.FAIL ? "FAIL" : word));
          row.element("td rowspan=\"%d\"".formatted(rows), cell -> said(test));
          if (values.isEmpty()) {
            row.raw("<td></td><td></td><td></td><td></td>");
          } else {
            value(values.getFirst());
          }
        });
    values.stream().skip(1).forEach(value -> html.element("tr", row -> value(value)));
  }

  private void said(TestResult test) {
    html.text(test.name());
    if (!test.message().isEmpty()) {
      html.element("pre", test.message());
    }
    List<String> lines = test.published().lines();
    if (!lines.isEmpty()) {
      html.element(
          "details",
          details ->
              details
                  .element(
                      "summary", "observed, %.0f ms".formatted((double) test.took().toMillis()))
                  .element("pre", String.join("\n", lines)));
    }
  }

  private void value(Measurement value) {
    html.element("td", value.what());
    html.element("td class=\"number\"", cell -> cell.text(range(value.least(), value.most())));
    html.element(
        "td class=\"number\"",
        cell -> cell.text(range(value.expectedLeast(), value.expectedMost())));
    html.element(
        "td class=\"number\"", cell -> cell.text(plain(value.floor()) + " " + value.unit()));
  }

  private static String range(BigDecimal least, BigDecimal most) {
    return least.compareTo(most) == 0 ? plain(least) : plain(least) + " to " + plain(most);
  }

  private static String plain(BigDecimal number) {
    return String.format(Locale.ROOT, "%s", number.stripTrailingZeros().toPlainString());
  }
}
