package kvmselftest.host;

/**
 * The emulated machine.
 *
 * @param cpus at least 1
 * @param memoryMib in MiB; 1024 is enough for the selftests
 * @param kernelArguments added to the kernel's command line, parted by blanks; may be empty
 */
public record Machine(int cpus, int memoryMib, String kernelArguments) {
  /** Two CPUs, 1 GiB. */
  public static final Machine STANDARD = new Machine(2, 1024, "");

  public Machine withCpus(int count) {
    return new Machine(count, memoryMib, kernelArguments);
  }

  public Machine withMemoryMib(int mib) {
    return new Machine(cpus, mib, kernelArguments);
  }

  public Machine withKernelArguments(String arguments) {
    return new Machine(cpus, memoryMib, arguments);
  }
}
