package kvmselftest.bank;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import kvmselftest.host.HostException;
import org.junit.jupiter.api.Test;

class TrialsTest {
  private static final Path ANY = Path.of("modules");
  private static final Verdict PASSED = new Verdict(List.of(), List.of(), "");
  private static final Verdict CAUGHT =
      new Verdict(List.of(new FailedTest("T.t", "7, expected 8")), List.of(), "");

  private final List<List<String>> boots = new ArrayList<>();
  private final List<Map<String, Verdict>> kept = new ArrayList<>();

  private Map<String, Verdict> boot(SequencedMap<String, Path> modules) throws HostException {
    boots.add(List.copyOf(modules.keySet()));
    if (modules.containsKey("panics")) {
      throw new HostException("panicked");
    }
    Map<String, Verdict> verdicts = new LinkedHashMap<>();
    modules
        .keySet()
        .forEach(name -> verdicts.put(name, name.equals("unchanged") ? PASSED : CAUGHT));
    return verdicts;
  }

  private static Map<String, Path> bugs(String... names) {
    Map<String, Path> bugs = new LinkedHashMap<>();
    List.of(names).forEach(name -> bugs.put(name, ANY));
    return bugs;
  }

  @Test
  void severalShareBoot() throws HostException, BankException {
    Trials trials = new Trials(this::boot, 2, line -> {}, kept::add);
    assertEquals(List.of("a", "b"), List.copyOf(trials.of(ANY, bugs("a", "b")).keySet()));
    assertEquals(List.of(List.of("unchanged", "a"), List.of("b")), boots);
    assertEquals(List.of(Map.of("a", CAUGHT), Map.of("a", CAUGHT, "b", CAUGHT)), kept);
  }

  @Test
  void thoseOfBootWithoutVerdictAreTriedAlone() throws HostException, BankException {
    Trials trials = new Trials(this::boot, 3, line -> {}, kept::add);
    Map<String, Verdict> verdicts = trials.of(ANY, bugs("a", "panics"));
    assertEquals(Map.of("a", CAUGHT, "panics", Verdict.none("panicked")), verdicts);
    assertEquals(
        List.of(
            List.of("unchanged", "a", "panics"),
            List.of("unchanged"),
            List.of("a"),
            List.of("panics")),
        boots);
  }

  @Test
  void nothingIsToldWhenUnchangedFails() {
    Map<String, Verdict> verdicts = Map.of("unchanged", CAUGHT, "a", CAUGHT);
    Trials trials = new Trials(modules -> verdicts, 2, line -> {}, kept::add);
    BankException e = assertThrows(BankException.class, () -> trials.of(ANY, bugs("a", "b")));
    assertEquals(
        "the unchanged modules do not pass, so that no bug can be told: caught by T.t\n"
            + "  T.t: 7, expected 8",
        e.getMessage());
    assertEquals(List.of(), kept);
  }
}
