package kvmselftest.host;

/**
 * The emulated machine.
 *
 * @param cpus at least 1
 * @param memoryMib in MiB; 1024 is enough for the selftests
 * @param kernelArguments added to the kernel's command line, parted by blanks; may be empty
 * @param accelerator what runs its CPUs
 */
public record Machine(int cpus, int memoryMib, String kernelArguments, Accelerator accelerator) {
  /** Two CPUs, 1 GiB, all emulated. */
  public static final Machine STANDARD = new Machine(2, 1024, "", Accelerator.TCG);

  public Machine withCpus(int count) {
    return new Machine(count, memoryMib, kernelArguments, accelerator);
  }

  public Machine withMemoryMib(int mib) {
    return new Machine(cpus, mib, kernelArguments, accelerator);
  }

  public Machine withKernelArguments(String arguments) {
    return new Machine(cpus, memoryMib, arguments, accelerator);
  }

  public Machine withAccelerator(Accelerator other) {
    return new Machine(cpus, memoryMib, kernelArguments, other);
  }
}
