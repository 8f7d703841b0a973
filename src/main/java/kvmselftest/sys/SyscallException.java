package kvmselftest.sys;

/** A system call failed: which, on what, and with which error number. */
public final class SyscallException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String call;
  private final int errno;

  /**
   * @param call what was asked, such as {@code KVM_SET_CLOCK on VM 3}
   */
  public SyscallException(String call, Errno errno) {
    super(call + " failed: " + errno);
    this.call = call;
    this.errno = errno.number();
  }

  /** What was asked, without the outcome. */
  public String call() {
    return call;
  }

  public Errno errno() {
    return new Errno(errno);
  }
}
