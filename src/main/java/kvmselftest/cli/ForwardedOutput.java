package kvmselftest.cli;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import kvmselftest.results.TestResult;
import kvmselftest.runner.LineMark;

/**
 * What comes out of the emulated host, parted again by its {@link LineMark}s. What has no mark is
 * passed on as it comes, so that a line which is not ended yet is seen, too. Any thread may write.
 */
final class ForwardedOutput extends OutputStream {
  private static final String KTAP_VERSION = "KTAP version 1";

  private final PrintStream told;
  private final PrintStream ktap;
  private final boolean wantsKtap;
  private final ForwardedTally tally = new ForwardedTally();
  private final ForwardedTests tests = new ForwardedTests();
  private final ByteArrayOutputStream line = new ByteArrayOutputStream();
  private Optional<LineMark> mark = Optional.empty();
  private boolean lineBegun;
  private boolean ktapBegun;
  private boolean cut;

  private ForwardedOutput(PrintStream told, PrintStream ktap, boolean wantsKtap) {
    this.told = told;
    this.ktap = ktap;
    this.wantsKtap = wantsKtap;
  }

  /** Of a run whose user reads text. */
  static ForwardedOutput text(PrintStream told) {
    return new ForwardedOutput(told, new PrintStream(OutputStream.nullOutputStream()), false);
  }

  /**
   * Of a run whose user wants KTAP.
   *
   * @param told gets everything else
   */
  static ForwardedOutput ktap(PrintStream ktap, PrintStream told) {
    return new ForwardedOutput(told, ktap, true);
  }

  /** Where lines of the launcher itself go. */
  PrintStream told() {
    return told;
  }

  /** This, for programs that print. */
  PrintStream asPrintStream() {
    return new PrintStream(this, true, StandardCharsets.UTF_8);
  }

  @Override
  public synchronized void write(int octet) {
    if (cut) {
      return;
    }
    if (mark.isPresent()) {
      takeMarked(octet);
      return;
    }
    mark = markOf(octet);
    if (mark.isEmpty()) {
      told.write(octet);
      lineBegun = octet != '\n';
    } else if (lineBegun) {
      told.println();
      lineBegun = false;
    }
  }

  private static Optional<LineMark> markOf(int octet) {
    return Arrays.stream(LineMark.values()).filter(mark -> mark.character() == octet).findFirst();
  }

  private void takeMarked(int octet) {
    if (octet != '\n') {
      line.write(octet);
      return;
    }
    String text = line.toString(StandardCharsets.UTF_8);
    switch (mark.orElseThrow()) {
      case TEST_BEGUN -> tests.begun(text);
      case TEST_ENDED -> tests.ended(text);
      case HIDDEN_RESULT -> tally.add(text);
      case RESULT -> {
        tally.add(text);
        told.println(text);
      }
      case KTAP -> ktap(text);
    }
    line.reset();
    mark = Optional.empty();
  }

  private void ktap(String text) {
    ktapBegun = true;
    ktap.println(text);
    ktap.flush();
  }

  @Override
  public synchronized void flush() {
    told.flush();
  }

  /**
   * Says how far the run got that did not get to its end, once; what comes after that is dropped.
   *
   * @param why in one line
   */
  synchronized void cutOff(String why) {
    if (cut) {
      return;
    }
    cut = true;
    if (lineBegun) {
      told.println();
    }
    if (wantsKtap) {
      bailOut(why);
    } else {
      tests.running().forEach(test -> told.println("running: " + test));
      tally.summary().forEach(told::println);
    }
    told.flush();
  }

  /**
   * The tests of a run that did not get to its end.
   *
   * @param why as for {@link #cutOff}
   */
  synchronized List<TestResult> tests(String why) {
    return tests.cutOff(why);
  }

  private void bailOut(String why) {
    if (!ktapBegun) {
      ktap(KTAP_VERSION);
    }
    String oneLine = why.replaceAll("\\s+", " ");
    ktap("# " + oneLine);
    tests.running().forEach(test -> ktap("# running: " + test));
    ktap("Bail out! " + oneLine.replace('#', '_'));
    ktap(tally.totals().toString());
  }
}
