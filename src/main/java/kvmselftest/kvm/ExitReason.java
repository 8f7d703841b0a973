package kvmselftest.kvm;

import java.util.Arrays;
import java.util.Optional;
import kvmselftest.bindings.kvm_h;

/** Why KVM_RUN returned: {@code kvm_run.exit_reason}, by the names in linux/kvm.h. */
public enum ExitReason {
  KVM_EXIT_UNKNOWN(kvm_h.KVM_EXIT_UNKNOWN()),
  KVM_EXIT_EXCEPTION(kvm_h.KVM_EXIT_EXCEPTION()),
  KVM_EXIT_IO(kvm_h.KVM_EXIT_IO()),
  KVM_EXIT_HYPERCALL(kvm_h.KVM_EXIT_HYPERCALL()),
  KVM_EXIT_DEBUG(kvm_h.KVM_EXIT_DEBUG()),
  KVM_EXIT_HLT(kvm_h.KVM_EXIT_HLT()),
  KVM_EXIT_MMIO(kvm_h.KVM_EXIT_MMIO()),
  KVM_EXIT_IRQ_WINDOW_OPEN(kvm_h.KVM_EXIT_IRQ_WINDOW_OPEN()),
  KVM_EXIT_SHUTDOWN(kvm_h.KVM_EXIT_SHUTDOWN()),
  KVM_EXIT_FAIL_ENTRY(kvm_h.KVM_EXIT_FAIL_ENTRY()),
  KVM_EXIT_INTR(kvm_h.KVM_EXIT_INTR()),
  KVM_EXIT_SET_TPR(kvm_h.KVM_EXIT_SET_TPR()),
  KVM_EXIT_TPR_ACCESS(kvm_h.KVM_EXIT_TPR_ACCESS()),
  KVM_EXIT_S390_SIEIC(kvm_h.KVM_EXIT_S390_SIEIC()),
  KVM_EXIT_S390_RESET(kvm_h.KVM_EXIT_S390_RESET()),
  KVM_EXIT_DCR(kvm_h.KVM_EXIT_DCR()),
  KVM_EXIT_NMI(kvm_h.KVM_EXIT_NMI()),
  KVM_EXIT_INTERNAL_ERROR(kvm_h.KVM_EXIT_INTERNAL_ERROR()),
  KVM_EXIT_OSI(kvm_h.KVM_EXIT_OSI()),
  KVM_EXIT_PAPR_HCALL(kvm_h.KVM_EXIT_PAPR_HCALL()),
  KVM_EXIT_S390_UCONTROL(kvm_h.KVM_EXIT_S390_UCONTROL()),
  KVM_EXIT_WATCHDOG(kvm_h.KVM_EXIT_WATCHDOG()),
  KVM_EXIT_S390_TSCH(kvm_h.KVM_EXIT_S390_TSCH()),
  KVM_EXIT_EPR(kvm_h.KVM_EXIT_EPR()),
  KVM_EXIT_SYSTEM_EVENT(kvm_h.KVM_EXIT_SYSTEM_EVENT()),
  KVM_EXIT_S390_STSI(kvm_h.KVM_EXIT_S390_STSI()),
  KVM_EXIT_IOAPIC_EOI(kvm_h.KVM_EXIT_IOAPIC_EOI()),
  KVM_EXIT_HYPERV(kvm_h.KVM_EXIT_HYPERV()),
  KVM_EXIT_ARM_NISV(kvm_h.KVM_EXIT_ARM_NISV()),
  KVM_EXIT_X86_RDMSR(kvm_h.KVM_EXIT_X86_RDMSR()),
  KVM_EXIT_X86_WRMSR(kvm_h.KVM_EXIT_X86_WRMSR()),
  KVM_EXIT_DIRTY_RING_FULL(kvm_h.KVM_EXIT_DIRTY_RING_FULL()),
  KVM_EXIT_AP_RESET_HOLD(kvm_h.KVM_EXIT_AP_RESET_HOLD()),
  KVM_EXIT_X86_BUS_LOCK(kvm_h.KVM_EXIT_X86_BUS_LOCK()),
  KVM_EXIT_XEN(kvm_h.KVM_EXIT_XEN()),
  KVM_EXIT_RISCV_SBI(kvm_h.KVM_EXIT_RISCV_SBI()),
  KVM_EXIT_RISCV_CSR(kvm_h.KVM_EXIT_RISCV_CSR()),
  KVM_EXIT_NOTIFY(kvm_h.KVM_EXIT_NOTIFY());

  private final int number;

  ExitReason(int number) {
    this.number = number;
  }

  /** The reason with this number; empty if it is newer than the bindings. */
  static Optional<ExitReason> of(int number) {
    return Arrays.stream(values()).filter(reason -> reason.number == number).findFirst();
  }

  /** The name, or the number where there is none. */
  static String nameOf(int number) {
    return of(number).map(ExitReason::name).orElse("exit reason " + number);
  }
}
