package kvmselftest.sys;

/**
 * An error number of Linux on x86-64 (include/uapi/asm-generic/errno-base.h and errno.h).
 *
 * @param number 1 to 4095, the range in which the kernel returns error numbers
 */
public record Errno(int number) {
  public static final Errno EPERM = new Errno(1);
  public static final Errno ENOENT = new Errno(2);
  public static final Errno EINTR = new Errno(4);
  public static final Errno ENXIO = new Errno(6);
  public static final Errno E2BIG = new Errno(7);
  public static final Errno EAGAIN = new Errno(11);
  public static final Errno ENOMEM = new Errno(12);
  public static final Errno EACCES = new Errno(13);
  public static final Errno EFAULT = new Errno(14);
  public static final Errno EBUSY = new Errno(16);
  public static final Errno EEXIST = new Errno(17);
  public static final Errno ENODEV = new Errno(19);
  public static final Errno EINVAL = new Errno(22);
  public static final Errno ENOTTY = new Errno(25);
  public static final Errno EIO = new Errno(5);
  public static final Errno ENOSYS = new Errno(38);
  public static final Errno EOPNOTSUPP = new Errno(95);

  public Errno {
    if (number < 1 || number > 4095) {
      throw new IllegalArgumentException("not an error number: " + number);
    }
  }

  /** The symbolic name, such as {@code EINVAL}; {@code errno 4000} where the C library has none. */
  public String name() {
    String name = Libc.strerrorName(number);
    return name == null ? "errno " + number : name;
  }

  /** Name and text, such as {@code ENXIO (No such device or address)}. */
  @Override
  public String toString() {
    return name() + " (" + Libc.strerror(number) + ")";
  }
}
