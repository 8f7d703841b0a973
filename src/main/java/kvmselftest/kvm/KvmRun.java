package kvmselftest.kvm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.util.Optional;
import kvmselftest.bindings.kvm_h;
import kvmselftest.bindings.kvm_run;
import kvmselftest.sys.Mapping;

/**
 * {@code struct kvm_run}, the page that a vCPU shares with KVM (api.rst, section 5). Valid when the
 * vCPU is not in KVM_RUN, but for {@code immediate_exit}, which any thread may set at any time.
 */
public final class KvmRun implements AutoCloseable {
  private static final VarHandle BYTE = JAVA_BYTE.varHandle();

  private final Mapping mapping;
  private final MemorySegment run;

  /** Its part about KVM_EXIT_IO; a slice made once, for it is looked at after every run. */
  private final MemorySegment io;

  KvmRun(Mapping mapping) {
    this.mapping = mapping;
    this.run = mapping.segment();
    this.io = kvm_run.io(run);
  }

  /** The exit reason, if the bindings know it. */
  public Optional<ExitReason> exitReason() {
    return ExitReason.of(kvm_run.exit_reason(run));
  }

  /** The exit reason's name, or its number where it has none. */
  public String exitReasonName() {
    return ExitReason.nameOf(kvm_run.exit_reason(run));
  }

  /** True if the guest has executed IN on this port. */
  public boolean isIn(int port) {
    return kvm_run.exit_reason(run) == kvm_h.KVM_EXIT_IO()
        && kvm_run.io.direction(io) == kvm_h.KVM_EXIT_IO_IN()
        && Short.toUnsignedInt(kvm_run.io.port(io)) == port;
  }

  /** The exit by name with what its part of the page says, for the message of a failure. */
  public String describeExit() {
    String details = details();
    return details.isEmpty() ? exitReasonName() : exitReasonName() + " (" + details + ")";
  }

  private String details() {
    return exitReason()
        .map(
            reason ->
                switch (reason) {
                  case KVM_EXIT_IO -> io();
                  case KVM_EXIT_MMIO -> mmio();
                  case KVM_EXIT_FAIL_ENTRY ->
                      "hardware_entry_failure_reason 0x%x"
                          .formatted(
                              kvm_run.fail_entry.hardware_entry_failure_reason(
                                  kvm_run.fail_entry(run)));
                  case KVM_EXIT_INTERNAL_ERROR ->
                      "suberror " + kvm_run.internal.suberror(kvm_run.internal(run));
                  case KVM_EXIT_SHUTDOWN -> "triple fault";
                  default -> "";
                })
        .orElse("");
  }

  private String io() {
    return "%s port 0x%x size %d"
        .formatted(
            kvm_run.io.direction(io) == kvm_h.KVM_EXIT_IO_IN() ? "IN" : "OUT",
            Short.toUnsignedInt(kvm_run.io.port(io)),
            kvm_run.io.size(io));
  }

  private String mmio() {
    MemorySegment mmio = kvm_run.mmio(run);
    return "%s of %d bytes at GPA 0x%x"
        .formatted(
            kvm_run.mmio.is_write(mmio) != 0 ? "write" : "read",
            kvm_run.mmio.len(mmio),
            kvm_run.mmio.phys_addr(mmio));
  }

  /** With true, the next KVM_RUN returns EINTR before it enters the guest. */
  void immediateExit(boolean exit) {
    BYTE.setVolatile(run, kvm_run.immediate_exit$offset(), (byte) (exit ? 1 : 0));
  }

  @Override
  public void close() {
    mapping.close();
  }
}
