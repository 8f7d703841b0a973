package kvmselftest.host.debian;

import java.nio.file.Path;
import kvmselftest.host.HostException;
import kvmselftest.host.Progress;

/** One folder for every package, or for none. */
public record FakePackages(Path folder, boolean available) implements Packages {
  public static FakePackages of(Path folder) {
    return new FakePackages(folder, true);
  }

  public static FakePackages none() {
    return new FakePackages(Path.of("/nowhere"), false);
  }

  @Override
  public Path qemu(Progress progress) throws HostException {
    return get();
  }

  @Override
  public Path bochs(BochsPart part, Progress progress) throws HostException {
    return get();
  }

  @Override
  public Path busybox(Progress progress) throws HostException {
    return get();
  }

  @Override
  public Path kernel(Progress progress) throws HostException {
    return get();
  }

  @Override
  public Path debianKernel(String version, Progress progress) throws HostException {
    return get();
  }

  @Override
  public Path kernelOf(String release, Progress progress) throws HostException {
    return get();
  }

  private Path get() throws HostException {
    if (!available) {
      throw new HostException("no such package; look elsewhere");
    }
    return folder;
  }
}
