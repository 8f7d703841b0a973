package kvmselftest.runner;

import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A run as KTAP, version 1 (Documentation/dev-tools/ktap.rst): a test for each class, in it a
 * subtest for each invocation. Lines are written as their tests end. Any thread may call.
 *
 * <p>A result beyond the plan stands for what nobody could plan, such as a class whose tear-down
 * fails; parsers take it for a failure.
 */
final class KtapReport {
  private static final String VERSION = "KTAP version 1";

  private final Consumer<String> lines;
  private final boolean verbose;
  private KtapPlan plan = new KtapPlan(Map.of());
  private int planned;
  private int classes;
  private @Nullable KtapBlock block;

  /**
   * @param lines each without its line break
   * @param verbose whether to say what was observed by tests that passed
   */
  KtapReport(Consumer<String> lines, boolean verbose) {
    this.lines = lines;
    this.verbose = verbose;
  }

  synchronized void begin(KtapPlan ofEachRound, int rounds) {
    plan = ofEachRound;
    planned = plan.classes() * rounds;
    lines.accept(VERSION);
    lines.accept("1.." + planned);
  }

  /** A run that does not begin. */
  synchronized void refuse(String why) {
    lines.accept(VERSION);
    lines.accept("Bail out! " + KtapText.description(why));
  }

  synchronized void diagnostic(String text) {
    lines.accept(KtapText.diagnostic(text));
  }

  synchronized void add(Outcome outcome) {
    String className = outcome.name().className();
    if (block == null || !block.isOf(outcome.round(), className)) {
      endBlock();
      if (!plan.hasClass(className)) {
        outcome.message().lines().forEach(this::diagnostic);
        lines.accept("not ok " + ++classes + " " + KtapText.description(outcome.title()));
        return;
      }
      block = new KtapBlock(lines, verbose, outcome.round(), className);
      block.begin(VERSION, outcome, plan.testsOf(className));
    }
    block.add(outcome);
  }

  /** No more of this class is to come. */
  synchronized void classEnded(String round, String className) {
    if (block != null && block.isOf(round, className)) {
      endBlock();
    }
  }

  /**
   * The last lines.
   *
   * @param cut why the plan is not fulfilled, if it is not
   */
  synchronized void end(Totals totals, String cut) {
    endBlock();
    if (classes < planned) {
      diagnostic("no verdict on %d of %d classes: %s".formatted(planned - classes, planned, cut));
      lines.accept("Bail out! " + KtapText.description(cut));
    }
    lines.accept(totals.toString());
  }

  private void endBlock() {
    if (block != null) {
      lines.accept(block.result(++classes));
      block = null;
    }
  }
}
