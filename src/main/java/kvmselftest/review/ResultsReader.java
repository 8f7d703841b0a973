package kvmselftest.review;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import kvmselftest.results.HostFacts;
import kvmselftest.results.Measurement;
import kvmselftest.results.Published;
import kvmselftest.results.Results;
import kvmselftest.results.Status;
import kvmselftest.results.TestResult;

/** Reads {@code results.json}, and says in one line why it cannot. */
public final class ResultsReader {
  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .build();

  private ResultsReader() {}

  /**
   * Reads one.
   *
   * @param given a report folder, or a results file
   * @throws NotResultsException if there is none, it is cut or changed, or a newer program's
   */
  public static Results read(Path given) throws NotResultsException {
    Path file = Files.isDirectory(given) ? given.resolve(Results.FILE) : given;
    try {
      return new Fields(JSON.readTree(Files.readAllBytes(file)), file.toString()).results();
    } catch (JsonProcessingException e) {
      throw new NotResultsException(
          "%s is no whole JSON (line %d): it is cut short or damaged"
              .formatted(file, e.getLocation() == null ? 0 : e.getLocation().getLineNr()));
    } catch (IOException e) {
      throw new NotResultsException(
          Files.exists(file)
              ? "cannot read %s: %s".formatted(file, e.getMessage())
              : missing(given, file));
    }
  }

  /**
   * Reads a line that {@link kvmselftest.results.ResultsJson#line} has written.
   *
   * @throws NotResultsException if it is not whole
   */
  public static TestResult test(String line) throws NotResultsException {
    try {
      return new Fields(JSON.readTree(line), "a line").test();
    } catch (JsonProcessingException e) {
      throw new NotResultsException("a line is no whole JSON: " + line);
    }
  }

  private static String missing(Path given, Path file) {
    return Files.isDirectory(given)
        ? "%s has no %s: it is no report folder, or of a version before there was one"
            .formatted(given, file.getFileName())
        : given + " does not exist";
  }

  /** The fields of an object, each of which has to be there and of its kind. */
  private record Fields(JsonNode node, String file) {
    Results results() throws NotResultsException {
      if (!node.path("format").asText("").equals(Results.FORMAT)) {
        throw new NotResultsException(
            file + " is not a results file: its \"format\" is not \"" + Results.FORMAT + "\"");
      }
      int version = number("version").intValue();
      if (version != Results.VERSION) {
        throw new NotResultsException(
            "%s has version %d, and this program reads version %d: take the program that wrote it"
                .formatted(file, version, Results.VERSION));
      }
      return new Results(
          text("tool"),
          instant("started"),
          Duration.ofMillis(number("durationMs").longValue()),
          text("verdict"),
          node.path("reason").asText(""),
          object("host").host(),
          texts("behaviours"),
          tests());
    }

    private HostFacts host() throws NotResultsException {
      return new HostFacts(
          text("kernel"),
          text("cpu"),
          text("clocksource"),
          text("vendorModule"),
          text("machine"),
          text("emulator"),
          map("capabilities", JsonNode::asInt));
    }

    private List<TestResult> tests() throws NotResultsException {
      List<TestResult> tests = new ArrayList<>();
      for (JsonNode test : array("tests")) {
        tests.add(new Fields(test, file).test());
      }
      return tests;
    }

    private TestResult test() throws NotResultsException {
      Status status = status();
      return new TestResult(
          text("name"),
          text("class"),
          number("round").intValue(),
          status,
          node.path(status == Status.SKIP ? "reason" : "failure").asText(""),
          Duration.ofMillis(number("durationMs").longValue()),
          published());
    }

    private Status status() throws NotResultsException {
      String word = text("status");
      for (Status status : Status.values()) {
        if (status.word().equals(word)) {
          return status;
        }
      }
      throw damaged("status", "pass, fail or skip");
    }

    private Published published() throws NotResultsException {
      List<String> measured = new ArrayList<>();
      array("measured").forEach(value -> measured.add(value.toString()));
      return new Published(
          texts("observed"),
          measured,
          node.has("charts") ? map("charts", JsonNode::toString) : Map.of());
    }

    Measurement measurement() throws NotResultsException {
      return new Measurement(
          text("what"),
          text("unit"),
          number("least").decimalValue(),
          number("most").decimalValue(),
          number("expectedLeast").decimalValue(),
          number("expectedMost").decimalValue(),
          number("samples").longValue());
    }

    private String text(String field) throws NotResultsException {
      JsonNode value = node.path(field);
      if (!value.isTextual()) {
        throw damaged(field, "a string");
      }
      return value.asText();
    }

    private JsonNode number(String field) throws NotResultsException {
      JsonNode value = node.path(field);
      if (!value.isNumber()) {
        throw damaged(field, "a number");
      }
      return value;
    }

    private Instant instant(String field) throws NotResultsException {
      try {
        return Instant.parse(text(field));
      } catch (DateTimeException e) {
        throw damaged(field, "a time");
      }
    }

    private Fields object(String field) throws NotResultsException {
      JsonNode value = node.path(field);
      if (!value.isObject()) {
        throw damaged(field, "an object");
      }
      return new Fields(value, file);
    }

    private JsonNode array(String field) throws NotResultsException {
      JsonNode value = node.path(field);
      if (!value.isArray()) {
        throw damaged(field, "an array");
      }
      return value;
    }

    private Map<String, String> texts(String field) throws NotResultsException {
      return map(field, JsonNode::asText);
    }

    private <T> Map<String, T> map(String field, Function<JsonNode, T> value)
        throws NotResultsException {
      Map<String, T> entries = new LinkedHashMap<>();
      object(field)
          .node
          .properties()
          .forEach(entry -> entries.put(entry.getKey(), value.apply(entry.getValue())));
      return entries;
    }

    private NotResultsException damaged(String field, String kind) {
      return new NotResultsException(
          "%s is damaged: \"%s\" is missing or not %s".formatted(file, field, kind));
    }
  }

  /** The numbers that a test measured, without those that are damaged. */
  public static List<Measurement> measurements(TestResult test) {
    List<Measurement> measurements = new ArrayList<>();
    for (String text : test.published().measured()) {
      try {
        measurements.add(new Fields(JSON.readTree(text), test.name()).measurement());
      } catch (JsonProcessingException | NotResultsException e) {
        // A test wrote something else; it is in the file as it came.
      }
    }
    return measurements;
  }
}
