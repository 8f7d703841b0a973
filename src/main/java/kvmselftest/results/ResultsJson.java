package kvmselftest.results;

import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * Writes {@code results.json}, token by token: mapping objects to JSON would cost an emulated CPU
 * seconds.
 */
public final class ResultsJson {
  static final JsonFactory FACTORY = new JsonFactory();

  private final JsonGenerator json;

  private ResultsJson(JsonGenerator json) {
    this.json = json;
  }

  /**
   * Writes the file into a folder, whole or not at all.
   *
   * @throws IOException if it cannot be written; a former one then still stands
   */
  public static void write(Results results, Path folder) throws IOException {
    Path next = folder.resolve(Results.FILE + ".new");
    try (BufferedWriter file = Files.newBufferedWriter(next);
        JsonGenerator json = FACTORY.createGenerator(file)) {
      json.setPrettyPrinter(new DefaultPrettyPrinter());
      new ResultsJson(json).write(results);
    }
    Files.move(next, folder.resolve(Results.FILE), ATOMIC_MOVE);
  }

  /** A test as the file has it, in one line. */
  public static String line(TestResult test) {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = FACTORY.createGenerator(text)) {
      new ResultsJson(json).write(test);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return text.toString();
  }

  private void write(Results results) throws IOException {
    json.writeStartObject();
    json.writeStringField("format", Results.FORMAT);
    json.writeNumberField("version", Results.VERSION);
    json.writeStringField("tool", results.tool());
    json.writeStringField("started", results.started().toString());
    json.writeNumberField("durationMs", results.took().toMillis());
    json.writeStringField("verdict", results.verdict());
    writeUnlessEmpty("reason", results.reason());
    write(results.host());
    writeTexts("behaviours", results.behaviours());
    write(results.totals());
    json.writeArrayFieldStart("tests");
    for (TestResult test : results.tests()) {
      write(test);
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  private void write(HostFacts host) throws IOException {
    json.writeObjectFieldStart("host");
    json.writeStringField("kernel", host.kernel());
    json.writeStringField("cpu", host.cpu());
    json.writeStringField("clocksource", host.clocksource());
    json.writeStringField("vendorModule", host.vendorModule());
    json.writeStringField("machine", host.machine());
    json.writeStringField("emulator", host.emulator());
    json.writeObjectFieldStart("capabilities");
    for (Map.Entry<String, Integer> capability : host.capabilities().entrySet()) {
      json.writeNumberField(capability.getKey(), capability.getValue());
    }
    json.writeEndObject();
    json.writeEndObject();
  }

  private void write(Totals totals) throws IOException {
    json.writeObjectFieldStart("totals");
    json.writeNumberField("pass", totals.pass());
    json.writeNumberField("fail", totals.fail());
    json.writeNumberField("skip", totals.skip());
    json.writeEndObject();
  }

  private void write(TestResult test) throws IOException {
    json.writeStartObject();
    json.writeStringField("name", test.name());
    json.writeStringField("class", test.className());
    json.writeNumberField("round", test.round());
    json.writeStringField("status", test.status().word());
    writeUnlessEmpty(test.status() == Status.SKIP ? "reason" : "failure", test.message());
    json.writeNumberField("durationMs", test.took().toMillis());
    writeTexts("observed", test.published().observed());
    json.writeArrayFieldStart("measured");
    for (String measured : test.published().measured()) {
      writeJson(measured);
    }
    json.writeEndArray();
    if (!test.published().charts().isEmpty()) {
      json.writeObjectFieldStart("charts");
      for (Map.Entry<String, String> chart : test.published().charts().entrySet()) {
        json.writeFieldName(chart.getKey());
        writeJson(chart.getValue());
      }
      json.writeEndObject();
    }
    json.writeEndObject();
  }

  private void writeTexts(String field, Map<String, String> texts) throws IOException {
    json.writeObjectFieldStart(field);
    for (Map.Entry<String, String> text : texts.entrySet()) {
      json.writeStringField(text.getKey(), text.getValue());
    }
    json.writeEndObject();
  }

  private void writeUnlessEmpty(String field, String text) throws IOException {
    if (!text.isEmpty()) {
      json.writeStringField(field, text);
    }
  }

  /** As the value it is; as a string when it is no JSON, so that the file stays one. */
  private void writeJson(String text) throws IOException {
    if (!isOneValue(text)) {
      json.writeString(text);
      return;
    }
    try (JsonParser parser = FACTORY.createParser(text)) {
      parser.nextToken();
      json.copyCurrentStructure(parser);
    }
  }

  private static boolean isOneValue(String text) {
    try (JsonParser parser = FACTORY.createParser(text)) {
      if (parser.nextToken() == null) {
        return false;
      }
      parser.skipChildren();
      return parser.nextToken() == null;
    } catch (IOException e) {
      return false;
    }
  }
}
