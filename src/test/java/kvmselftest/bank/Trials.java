package kvmselftest.bank;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.Collectors;
import kvmselftest.host.HostException;
import kvmselftest.host.Progress;

/**
 * The order in which bugs are tried: the unchanged modules first, then some bugs a boot, and when a
 * boot comes to no verdict each of its bugs in a boot of its own.
 */
record Trials(Boot boot, int batch, Progress progress, Kept kept) {
  /** What is tried first, and has to pass. */
  static final String UNCHANGED = "unchanged";

  /** Runs the tests in one boot on one pair of modules after the other. */
  @FunctionalInterface
  interface Boot {
    Map<String, Verdict> run(SequencedMap<String, Path> modules)
        throws HostException, BankException;
  }

  /** Gets, after each boot, what has become of the bugs so far: a run may take hours. */
  @FunctionalInterface
  interface Kept {
    void soFar(Map<String, Verdict> verdicts) throws BankException;
  }

  /** What becomes of each name, in the same order. */
  Map<String, Verdict> of(Path unchanged, Map<String, Path> bugs)
      throws HostException, BankException {
    Map<String, Path> all = new LinkedHashMap<>();
    all.put(UNCHANGED, unchanged);
    all.putAll(bugs);
    Map<String, Verdict> verdicts = new LinkedHashMap<>();
    List<String> names = new ArrayList<>(all.keySet());
    for (int from = 0; from < names.size(); from += batch) {
      SequencedMap<String, Path> some = new LinkedHashMap<>();
      names
          .subList(from, Math.min(from + batch, names.size()))
          .forEach(name -> some.put(name, all.getOrDefault(name, unchanged)));
      verdicts.putAll(together(some));
      requireUnchangedPassed(verdicts);
      kept.soFar(ofBugs(verdicts));
    }
    return ofBugs(verdicts);
  }

  private static Map<String, Verdict> ofBugs(Map<String, Verdict> verdicts) {
    Map<String, Verdict> some = new LinkedHashMap<>(verdicts);
    some.remove(UNCHANGED);
    return some;
  }

  private static void requireUnchangedPassed(Map<String, Verdict> verdicts) throws BankException {
    Verdict unchanged = verdicts.getOrDefault(UNCHANGED, Verdict.none("not run"));
    if (unchanged.isCaught() || !unchanged.upstream().isEmpty()) {
      String messages =
          unchanged.failed().stream()
              .map(test -> "\n  %s: %s".formatted(test.name(), test.message()))
              .collect(Collectors.joining());
      throw new BankException(
          "the unchanged modules do not pass, so that no bug can be told: "
              + unchanged.describe()
              + messages);
    }
  }

  private Map<String, Verdict> together(SequencedMap<String, Path> some)
      throws HostException, BankException {
    try {
      Map<String, Verdict> verdicts = boot.run(some);
      verdicts.forEach(this::say);
      return verdicts;
    } catch (HostException e) {
      if (some.size() > 1) {
        progress.step("no verdict (" + e.getMessage() + "); one by one:");
        return oneByOne(some);
      }
      return alone(some, e);
    }
  }

  private Map<String, Verdict> oneByOne(Map<String, Path> some)
      throws HostException, BankException {
    Map<String, Verdict> verdicts = new LinkedHashMap<>();
    for (Map.Entry<String, Path> one : some.entrySet()) {
      SequencedMap<String, Path> single = new LinkedHashMap<>();
      single.put(one.getKey(), one.getValue());
      verdicts.putAll(together(single));
    }
    return verdicts;
  }

  private Map<String, Verdict> alone(Map<String, Path> one, HostException e) {
    Map<String, Verdict> verdicts = new LinkedHashMap<>();
    one.keySet().forEach(name -> verdicts.put(name, Verdict.none(String.valueOf(e.getMessage()))));
    verdicts.forEach(this::say);
    return verdicts;
  }

  private void say(String name, Verdict verdict) {
    boolean passes = name.equals(UNCHANGED) && !verdict.isCaught();
    progress.step(name + ": " + (passes ? "passes" : verdict.describe()));
  }
}
