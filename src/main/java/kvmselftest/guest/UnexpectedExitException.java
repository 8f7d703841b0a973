package kvmselftest.guest;

import kvmselftest.kvm.Vcpu;

/** KVM_RUN ended with something else than a ucall: its name, its details, the vCPU's registers. */
public final class UnexpectedExitException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  UnexpectedExitException(Vcpu vcpu) {
    super(
        "%s: unexpected %s; %s"
            .formatted(vcpu, vcpu.kvmRun().describeExit(), vcpu.describeRegisters()));
  }
}
