package kvmselftest.bank;

import static java.util.stream.Collectors.toSet;
import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SeededBugTest {
  private static final String DIFF =
      """
      --- a/arch/x86/kvm/x86.c
      +++ b/arch/x86/kvm/x86.c
      @@ -1,1 +1,1 @@
      -a
      +b
      """;

  @Test
  void headerIsTitleAndEffect() throws BankException {
    String text = "The clock is late\n\nA guest\nwaits.\n\n" + DIFF;
    SeededBug bug = SeededBug.of(Path.of("somewhere/clock-late.patch"), text);
    assertAll(
        () -> assertEquals("clock-late", bug.name()),
        () -> assertEquals("The clock is late", bug.title()),
        () -> assertEquals("A guest waits.", bug.effect()),
        () -> assertEquals(DIFF, bug.diff()));
  }

  @Test
  void patchWithoutHeaderIsRefused() {
    BankException e =
        assertThrows(BankException.class, () -> SeededBug.of(Path.of("x.patch"), DIFF));
    assertTrue(String.valueOf(e.getMessage()).startsWith("x.patch "), e.toString());
  }

  @Test
  void everyPatchOfTheBankIsReadable() throws IOException, BankException {
    List<SeededBug> bugs = bank();
    assertTrue(bugs.size() >= 55, bugs.size() + " patches");
    assertEquals(bugs.size(), bugs.stream().map(SeededBug::diff).distinct().count());
  }

  @Test
  void quickOnesAreInTheBank() throws IOException, BankException {
    Set<String> names = bank().stream().map(SeededBug::name).collect(toSet());
    assertTrue(names.containsAll(BankOptions.QUICK), BankOptions.QUICK.toString());
  }

  @Test
  void everyPatchOfScalingIsReadable() throws IOException, BankException {
    List<SeededBug> bugs = SeededBug.in(BankKind.INTEL.patches(Path.of("")));
    assertTrue(bugs.size() >= 20, bugs.size() + " patches");
    assertEquals(bugs.size(), bugs.stream().map(SeededBug::diff).distinct().count());
  }

  private static List<SeededBug> bank() throws IOException, BankException {
    return SeededBug.in(BankKind.AMD.patches(Path.of("")));
  }
}
