package kvmselftest.bank;

import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The Markdown table of a run, and the sentences above and below it. */
record BankTable(Map<SeededBug, Verdict> verdicts, boolean withUpstream) {
  private static final int NAMES = 3;

  String markdown(LocalDate date, String kernel) {
    String head =
        "| bug | what becomes wrong | caught by |" + (withUpstream ? " upstream |" : "") + "\n";
    String rule = "| --- | --- | --- |" + (withUpstream ? " --- |" : "") + "\n";
    String rows =
        verdicts.entrySet().stream()
            .map(entry -> row(entry.getKey(), entry.getValue()))
            .collect(Collectors.joining());
    return summary(date, kernel) + "\n\n" + head + rule + rows;
  }

  private String summary(LocalDate date, String kernel) {
    String suite =
        "%d of %d bugs caught".formatted(verdicts.size() - missed().size(), verdicts.size());
    long upstream = verdicts.values().stream().filter(v -> !v.upstream().isEmpty()).count();
    return date
        + ", Linux "
        + kernel
        + ": "
        + suite
        + (withUpstream ? ", by upstream's C tests " + upstream + "." : ".");
  }

  /** Names of the bugs that nothing caught. */
  List<String> missed() {
    return verdicts.entrySet().stream()
        .filter(entry -> !entry.getValue().isCaught())
        .map(entry -> entry.getKey().name())
        .toList();
  }

  private String row(SeededBug bug, Verdict verdict) {
    String cells =
        "| `%s` | %s. %s | %s |"
            .formatted(bug.name(), cell(bug.title()), cell(bug.effect()), cell(caught(verdict)));
    return cells + (withUpstream ? " " + upstream(verdict) + " |" : "") + "\n";
  }

  private static String caught(Verdict verdict) {
    if (!verdict.isCaught()) {
      return "**not caught**";
    }
    return verdict.noVerdict().isEmpty()
        ? names(verdict.caughtBy())
        : "no verdict: " + verdict.noVerdict();
  }

  private static String names(List<String> tests) {
    String first = tests.stream().limit(NAMES).collect(Collectors.joining(", "));
    return tests.size() > NAMES ? first + " and " + (tests.size() - NAMES) + " more" : first;
  }

  private static String upstream(Verdict verdict) {
    return verdict.upstream().isEmpty() ? "not caught" : String.join(", ", verdict.upstream());
  }

  private static String cell(String text) {
    return text.replace("|", "\\|").replace("\n", " ");
  }
}
