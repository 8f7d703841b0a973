package kvmselftest.host;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import kvmselftest.host.emulator.Emulator;
import kvmselftest.host.kernel.Kernel;
import org.jspecify.annotations.Nullable;

/**
 * What is to run where.
 *
 * @param kernel the kernel to boot, with the modules to load
 * @param emulator what to boot it in
 * @param busybox a static one
 * @param jdk the JDK whose runtime goes into the image
 * @param classPath jars
 * @param commands run one after the other, each whatever became of those before it
 * @param training what the AOT cache is made by; null for none. Runs on this machine, in a folder
 *     of its own that is deleted, with the same class path
 * @param files more files for the image: path in it, file here
 * @param device must be there when the modules are loaded
 * @param machine CPUs, memory, kernel arguments
 * @param bounds when to give up
 * @param report where what the commands left in /report goes, and the console's log; exists. Null:
 *     nowhere
 */
public record HostRun(
    Kernel kernel,
    Emulator emulator,
    Path busybox,
    Path jdk,
    List<Path> classPath,
    List<HostCommand> commands,
    @Nullable JavaProgram training,
    Map<String, Path> files,
    String device,
    Machine machine,
    Bounds bounds,
    @Nullable Path report) {
  public HostRun {
    classPath = List.copyOf(classPath);
    commands = List.copyOf(commands);
    files = Map.copyOf(files);
  }

  /** With this JVM's own JDK, no training, /dev/kvm, and all else at its standard. */
  public HostRun(
      Kernel kernel,
      Emulator emulator,
      Path busybox,
      List<Path> classPath,
      List<? extends HostCommand> commands) {
    this(
        kernel,
        emulator,
        busybox,
        Path.of(System.getProperty("java.home")),
        classPath,
        List.copyOf(commands),
        null,
        Map.of(),
        "/dev/kvm",
        Machine.STANDARD,
        Bounds.STANDARD,
        null);
  }

  public HostRun withTraining(JavaProgram program) {
    return new HostRun(
        kernel, emulator, busybox, jdk, classPath, commands, program, files, device, machine,
        bounds, report);
  }

  public HostRun withFiles(Map<String, Path> more) {
    return new HostRun(
        kernel, emulator, busybox, jdk, classPath, commands, training, more, device, machine,
        bounds, report);
  }

  public HostRun withMachine(Machine other) {
    return new HostRun(
        kernel, emulator, busybox, jdk, classPath, commands, training, files, device, other, bounds,
        report);
  }

  public HostRun withBounds(Bounds others) {
    return new HostRun(
        kernel, emulator, busybox, jdk, classPath, commands, training, files, device, machine,
        others, report);
  }

  public HostRun withReport(Path folder) {
    return new HostRun(
        kernel, emulator, busybox, jdk, classPath, commands, training, files, device, machine,
        bounds, folder);
  }
}
