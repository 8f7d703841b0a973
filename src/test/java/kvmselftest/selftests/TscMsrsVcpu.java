package kvmselftest.selftests;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import kvmselftest.guest.Guest;
import kvmselftest.guest.GuestBlob;
import kvmselftest.guest.Ucall;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Vcpu;
import kvmselftest.x86.CounterWindow;
import kvmselftest.x86.HostTsc;
import kvmselftest.x86.Msr;
import org.junit.jupiter.api.TestReporter;

/**
 * The live vCPU of {@link TscMsrsTest} with what its MSRs have to hold. At any moment
 *
 * <pre>
 *   IA32_TSC = host TSC + offset + IA32_TSC_ADJUST
 * </pre>
 *
 * where the offset is the host's part: it changes only when the host writes IA32_TSC, and it is
 * known as exactly as the moment of that write, which lies between two readings of the host's TSC.
 */
final class TscMsrsVcpu implements AutoCloseable {
  private final Guest guest;
  private final Vcpu vcpu;
  private final TestReporter reporter;
  private CounterWindow offset;
  private long adjust;

  TscMsrsVcpu(Kvm kvm, TestReporter reporter) {
    this.reporter = reporter;
    guest = Guest.load(kvm, GuestBlob.named("tsc_msrs_test"));
    long before = HostTsc.read();
    vcpu = guest.createVcpu(0, 0);
    offset = new CounterWindow(0, 0).minus(new CounterWindow(before, HostTsc.read()));
  }

  /** The host writes IA32_TSC; IA32_TSC_ADJUST is to stay. */
  void hostWritesTsc(long value) {
    long before = HostTsc.read();
    vcpu.setMsr(Msr.IA32_TSC, value);
    CounterWindow written = new CounterWindow(before, HostTsc.read());
    offset = new CounterWindow(value - adjust, value - adjust).minus(written);
  }

  /** The host writes IA32_TSC_ADJUST, reads it back and restores it; IA32_TSC is to stay. */
  void hostWritesAdjustAndRestores(long value) {
    long kept = adjust;
    vcpu.setMsr(Msr.IA32_TSC_ADJUST, value);
    assertEquals(value, vcpu.getMsr(Msr.IA32_TSC_ADJUST), "host reads IA32_TSC_ADJUST it wrote");
    assertHostReadsTsc(kept);
    vcpu.setMsr(Msr.IA32_TSC_ADJUST, kept);
  }

  /** Runs the guest, which writes no MSR, to the end of a stage; then both read both MSRs. */
  void runStage(long stage) {
    long kept = adjust;
    runStage(stage, _ -> new CounterWindow(kept, kept));
  }

  /** As {@link #runStage(long)}, where the guest writes IA32_TSC_ADJUST. */
  void runStageThatWritesAdjust(long stage, long value) {
    runStage(stage, run -> new CounterWindow(value, value));
  }

  /**
   * As {@link #runStage(long)}, where the guest writes IA32_TSC: what it adds to the TSC of that
   * moment is its IA32_TSC_ADJUST.
   */
  void runStageThatWritesTsc(long stage, long value) {
    runStage(stage, run -> new CounterWindow(value, value).minus(run.plus(offset)));
  }

  private interface Adjust {
    /** Where IA32_TSC_ADJUST has to lie, given the host's TSC before and after KVM_RUN. */
    CounterWindow after(CounterWindow run);
  }

  private void runStage(long stage, Adjust expected) {
    CounterWindow run = vcpu.runBetweenHostTscs();

    Ucall.Sync sync = Ucall.sync(vcpu, stage);
    adjust = sync.value(1);
    assertAll(
        () -> assertIn(expected.after(run), adjust, "guest reads IA32_TSC_ADJUST"),
        () -> assertIn(run.plus(offset).plus(adjust), sync.value(0), "guest reads IA32_TSC"),
        this::assertHostReadsBoth);
  }

  void runToDone() {
    vcpu.run();
    Ucall.done(vcpu);
  }

  /** The host reads what it has to. */
  void assertHostReadsBoth() {
    assertAll(
        () -> assertHostReadsTsc(adjust),
        () -> assertEquals(adjust, vcpu.getMsr(Msr.IA32_TSC_ADJUST), "host reads IA32_TSC_ADJUST"));
  }

  private void assertHostReadsTsc(long expectedAdjust) {
    long before = HostTsc.read();
    long read = vcpu.getMsr(Msr.IA32_TSC);
    CounterWindow when = new CounterWindow(before, HostTsc.read());
    assertIn(when.plus(offset).plus(expectedAdjust), read, "host reads IA32_TSC");
  }

  private void assertIn(CounterWindow expected, long read, String what) {
    String observation =
        "%s: %s: %s, expected %s".formatted(vcpu, what, Long.toUnsignedString(read), expected);
    reporter.publishEntry(observation);
    assertTrue(expected.contains(read), observation);
  }

  @Override
  public void close() {
    guest.close();
  }
}
