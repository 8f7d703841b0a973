package kvmselftest.review;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import kvmselftest.results.Measurement;
import kvmselftest.results.Results;
import kvmselftest.results.ResultsJson;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ResultsReaderTest {
  @TempDir Path folder;

  private final Results written =
      new SampleResults()
          .pass("A.one [2] \"quoted\" \u00b1", Measurement.ofError("e", "ns", -3, 5, 7))
          .fail("A.two", "one\ntwo")
          .skip("A.three", "why")
          .publish("A.four", "chart.migration", "{\"vcpus\":2}")
          .of("failed", "");

  @BeforeEach
  void write() throws Exception {
    ResultsJson.write(written, folder);
  }

  @Test
  void readsWhatWasWritten() throws Exception {
    assertEquals(written, ResultsReader.read(folder));
    assertEquals(written, ResultsReader.read(folder.resolve("results.json")));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "\"version\" : 1          | \"version\" : 2     | has version 2, and this program reads"
            + " version 1",
        "kvm-clock-selftests res  | other res           | is not a results file: its \"format\"",
        "\"durationMs\" : 7000    | \"durationMs\" : {} | \"durationMs\" is missing or not a"
            + " number",
        "\"status\" : \"fail\"    | \"status\" : \"x\"  | \"status\" is missing or not pass, fail"
            + " or skip",
        "\"tests\"                | \"test\"            | \"tests\" is missing or not an array",
        "2001-02                  | 2001-99             | \"started\" is missing or not a time",
      })
  void refusesWhatIsDamaged(String text, String other, String complaint) throws Exception {
    Path file = folder.resolve("results.json");
    Files.writeString(file, Files.readString(file).replace(text, other));

    String message = refusal(folder);
    assertTrue(message.startsWith(file + " ") && message.contains(complaint), message);
  }

  @ParameterizedTest
  @CsvSource({"0.0", "0.5", "0.99"})
  void refusesWhatIsCutShort(double part) throws Exception {
    Path file = folder.resolve("results.json");
    String whole = Files.readString(file);
    Files.writeString(file, whole.substring(0, (int) (whole.length() * part)));

    String message = refusal(file);
    assertTrue(message.startsWith(file + " is "), message);
    assertEquals(1, message.lines().count(), message);
  }

  @Test
  void refusesWhatIsNotThere() throws Exception {
    Files.delete(folder.resolve("results.json"));

    assertTrue(refusal(folder).contains("has no results.json"), refusal(folder));
    assertTrue(refusal(folder.resolve("no")).endsWith("no does not exist"));
    assertTrue(refusal(Path.of("/bin/sh")).startsWith("/bin/sh is no whole JSON"));
  }

  private static String refusal(Path given) {
    return String.valueOf(
        assertThrows(NotResultsException.class, () -> ResultsReader.read(given)).getMessage());
  }
}
