package kvmselftest.host.debian;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import kvmselftest.host.HostException;
import kvmselftest.host.Progress;
import kvmselftest.host.cache.CacheFolder;

/** Packages of Debian's or Ubuntu's archives, from the mirror that the machine's apt uses. */
final class AptPackages implements Packages {
  private final Distribution distribution;
  private final CacheFolder cache;
  private final Map<String, UnpackedPackages> lists = new HashMap<>();
  private Optional<Mirrors> mirrors = Optional.empty();

  AptPackages(Distribution distribution, CacheFolder cache) {
    this.distribution = distribution;
    this.cache = cache;
  }

  @Override
  public Path qemu(Progress progress) throws HostException {
    Optional<String> backports = distribution.qemuBackports();
    if (backports.isPresent()) {
      try {
        return qemu(own().preferring(mirrors().main(), backports.get()), progress);
      } catch (HostException e) {
        progress.step("no QEMU from " + backports.get() + ": " + e.getMessage());
      }
    }
    return qemu(own(), progress);
  }

  private Path qemu(SourceList sources, Progress progress) throws HostException {
    return from(sources).get("qemu-system-x86", Extent.PROGRAM_WITH_LIBRARIES, progress);
  }

  @Override
  public Path bochs(BochsPart part, Progress progress) throws HostException {
    return from(own()).get(part.packageName(), part.extent(), progress);
  }

  @Override
  public Path busybox(Progress progress) throws HostException {
    return from(own()).get("busybox-static", Extent.PROGRAM, progress);
  }

  @Override
  public Path kernel(Progress progress) throws HostException {
    return from(own()).get(distribution.family().kernelPackage(), Extent.KERNEL, progress);
  }

  @Override
  public Path debianKernel(String version, Progress progress) throws HostException {
    String suite =
        DebianKernels.suite(version)
            .orElseThrow(
                () ->
                    new HostException(
                        "no Debian release is known for kernel "
                            + version
                            + "; choose one of "
                            + String.join(", ", DebianKernels.versions())));
    return from(debian(suite))
        .get(Distribution.Family.DEBIAN.kernelPackage(), Extent.KERNEL, progress);
  }

  @Override
  public Path kernelOf(String release, Progress progress) throws HostException {
    String name = "linux-image-" + release;
    try {
      return from(own()).get(name, Extent.KERNEL, progress);
    } catch (HostException e) {
      Optional<String> suite = DebianKernels.suite(DebianKernels.version(release));
      if (suite.isEmpty() || isOwn(suite.get())) {
        throw e;
      }
      return from(debian(suite.get())).get(name, Extent.KERNEL, progress);
    }
  }

  private synchronized UnpackedPackages from(SourceList sources) {
    return lists.computeIfAbsent(
        sources.name(),
        name ->
            new UnpackedPackages(
                name, new PrivateApt(sources, cache.root().resolve("apt").resolve(name)), cache));
  }

  private SourceList own() throws HostException {
    return mirrors().own(distribution);
  }

  private SourceList debian(String suite) throws HostException {
    if (isOwn(suite)) {
      return own();
    }
    String mirror =
        distribution.family() == Distribution.Family.DEBIAN
            ? mirrors().main()
            : Distribution.Family.DEBIAN.mirror();
    return SourceList.of(Distribution.Family.DEBIAN, mirror, suite);
  }

  private boolean isOwn(String suite) {
    return distribution.equals(new Distribution(Distribution.Family.DEBIAN, suite));
  }

  private synchronized Mirrors mirrors() throws HostException {
    if (mirrors.isEmpty()) {
      mirrors = Optional.of(Mirrors.ofMachine(distribution));
    }
    return mirrors.get();
  }
}
