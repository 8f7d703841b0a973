package kvmselftest.kvm;

/** KVM cannot be used on this machine: the message says why and what to do, in one line. */
public final class KvmUnavailableException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String reason;

  KvmUnavailableException(String reason) {
    super(reason);
    this.reason = reason;
  }

  /** Why, and what to do about it, in one line: the message. */
  public String reason() {
    return reason;
  }
}
