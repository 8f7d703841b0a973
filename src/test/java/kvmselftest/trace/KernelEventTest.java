package kvmselftest.trace;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Lines as Linux 6.1's tracefs has them. */
class KernelEventTest {
  @Test
  void readsTheOffsetWithItsSign() {
    String line =
        "       selftests-123     [001] .....   98765432109: kvm_write_tsc_offset: vcpu=1 prev=0"
            + " next=18446744073709551611";

    assertEquals(
        Optional.of(
            new KernelEvent(
                98_765_432_109L,
                1,
                "kvm_write_tsc_offset",
                1,
                Map.of("offset", -5L),
                "vcpu=1 prev=0 next=18446744073709551611")),
        KernelEvent.parse(line));
  }

  @Test
  void readsThePage() {
    KernelEvent event =
        KernelEvent.parse(
                " vcpu 0-77 [000] d..1.  42: kvm_pvclock_update: vcpu_id 0, pvclock { version 4,"
                    + " tsc_timestamp 0xff, system_time 0x10, tsc_to_system_mul 0x80, tsc_shift -1,"
                    + " flags 0x1 }")
            .orElseThrow();

    assertEquals(Map.of("tsc", 255L, "ns", 16L), event.values());
    assertEquals(0, event.vcpu());
  }

  @Test
  void knowsNoVcpuOfTheMasterClock() {
    assertEquals(
        -1,
        KernelEvent.parse(
                " x-7 [000] ..... 42: kvm_update_master_clock: masterclock 1 hostclock tsc"
                    + " offsetmatched 1")
            .orElseThrow()
            .vcpu());
  }

  @Test
  void passesOtherLinesBy() {
    assertEquals(Optional.empty(), KernelEvent.parse("# tracer: nop"));
    assertEquals(Optional.empty(), KernelEvent.parse("CPU:0 [LOST 12 EVENTS]"));
    assertEquals(Optional.empty(), KernelEvent.parse(""));
  }
}
