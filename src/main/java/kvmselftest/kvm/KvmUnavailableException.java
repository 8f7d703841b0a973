package kvmselftest.kvm;

/** KVM cannot be used on this machine: the message says why and what to do, in one line. */
public final class KvmUnavailableException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  KvmUnavailableException(String message) {
    super(message);
  }
}
