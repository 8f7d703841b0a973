package kvmselftest.kvm;

/** A guest did not leave KVM_RUN within its deadline and was stopped. The vCPU may run again. */
public final class RunDeadlineException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  RunDeadlineException(String message) {
    super(message);
  }
}
