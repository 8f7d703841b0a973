package kvmselftest.x86;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class CounterWindowTest {
  @Test
  void containsItsEndsAndNothingBeyond() {
    CounterWindow window = new CounterWindow(10, 20);
    assertTrue(window.contains(10));
    assertTrue(window.contains(20));
    assertFalse(window.contains(9));
    assertFalse(window.contains(21));
  }

  @Test
  void runsAcrossTheWrap() {
    CounterWindow window = new CounterWindow(-5, 5);
    assertTrue(window.contains(-5));
    assertTrue(window.contains(0));
    assertTrue(window.contains(5));
    assertFalse(window.contains(6));
    assertFalse(window.contains(-6));
    assertFalse(window.contains(Long.MIN_VALUE));
    assertEquals("[18446744073709551611, 5], width 10", window.toString());
  }

  @Test
  void sumAndDifferenceHoldAllOfTheirs() {
    CounterWindow a = new CounterWindow(10, 20);
    CounterWindow b = new CounterWindow(1, 3);
    assertEquals(new CounterWindow(11, 23), a.plus(b));
    assertEquals(new CounterWindow(7, 19), a.minus(b));
    assertEquals(new CounterWindow(5, 15), a.plus(-5));
  }
}
