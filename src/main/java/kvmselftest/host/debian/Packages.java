package kvmselftest.host.debian;

import java.nio.file.Path;
import kvmselftest.host.HostException;
import kvmselftest.host.Progress;
import kvmselftest.host.cache.CacheFolder;

/**
 * What can be had from a distribution's packages. Each method gives the folder where the package's
 * files lie as they would below /, fetched and unpacked now if they are not there yet; nothing is
 * ever installed on the machine, and no root is needed.
 *
 * <p>What was fetched is used for two weeks; then the newest is asked for, and when that fails the
 * old one serves on.
 */
public interface Packages {
  /** Those of the machine's own distribution. */
  static Packages ofMachine(CacheFolder cache) {
    var osRelease = OsRelease.ofMachine();
    return Distribution.of(osRelease)
        .filter(distribution -> SearchPath.ofProcess().find("apt-get").isPresent())
        .<Packages>map(distribution -> new AptPackages(distribution, cache))
        .orElseGet(() -> new NoPackages(osRelease));
  }

  /** The newest qemu-system-x86_64 there is, with the libraries and firmware it needs. */
  Path qemu(Progress progress) throws HostException;

  /** One of the packages for Bochs. */
  Path bochs(BochsPart part, Progress progress) throws HostException;

  /** A busybox that needs no library. */
  Path busybox(Progress progress) throws HostException;

  /** The distribution's newest kernel, with its modules. */
  Path kernel(Progress progress) throws HostException;

  /**
   * The kernel of a release of Debian's, on any machine that has its keys.
   *
   * @param version one of {@link DebianKernels}
   */
  Path debianKernel(String version, Progress progress) throws HostException;

  /**
   * The very kernel that a release names, with its modules.
   *
   * @param release as {@code uname -r} gives it: 6.1.0-50-cloud-amd64
   */
  Path kernelOf(String release, Progress progress) throws HostException;
}
