package kvmselftest.host.debian;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import kvmselftest.host.HostException;
import kvmselftest.host.Progress;

/** A machine whose packages are not fetched for the user: says the one command to type. */
record NoPackages(Map<String, String> osRelease) implements Packages {
  /** What installs QEMU and busybox, for the distributions named so in ID or ID_LIKE. */
  private static final Map<String, Install> INSTALL = new LinkedHashMap<>();

  static {
    INSTALL.put("fedora", new Install("dnf install", "qemu-system-x86-core", "busybox"));
    INSTALL.put("arch", new Install("pacman -S", "qemu-system-x86", "busybox"));
    INSTALL.put("suse", new Install("zypper install", "qemu-x86", "busybox-static"));
    INSTALL.put("opensuse", new Install("zypper install", "qemu-x86", "busybox-static"));
    INSTALL.put("alpine", new Install("apk add", "qemu-system-x86_64", "busybox-static"));
    INSTALL.put("debian", new Install("apt-get install", "qemu-system-x86", "busybox-static"));
  }

  private record Install(String command, String qemu, String busybox) {}

  NoPackages {
    osRelease = Map.copyOf(osRelease);
  }

  @Override
  public Path qemu(Progress progress) throws HostException {
    throw new HostException("there is no qemu-system-x86_64 on PATH; " + advice(true));
  }

  @Override
  public Path bochs(BochsPart part, Progress progress) throws HostException {
    throw new HostException(
        "Bochs is not fetched on "
            + name()
            + ", and the Intel host was only ever run with Debian 12's; run it there");
  }

  @Override
  public Path busybox(Progress progress) throws HostException {
    throw new HostException("there is no static busybox on PATH; " + advice(false));
  }

  @Override
  public Path kernel(Progress progress) throws HostException {
    throw new HostException(
        "no kernel is fetched on " + name() + "; name one by --kernel, such as a /boot/vmlinuz-*");
  }

  @Override
  public Path debianKernel(String version, Progress progress) throws HostException {
    throw new HostException(
        "Debian's kernel " + version + " cannot be fetched without apt; name a kernel by --kernel");
  }

  @Override
  public Path kernelOf(String release, Progress progress) throws HostException {
    throw new HostException(
        "kernel "
            + release
            + "'s package is not fetched on "
            + name()
            + "; name a folder by --modules");
  }

  private String name() {
    return osRelease.getOrDefault("PRETTY_NAME", "this system");
  }

  private String advice(boolean qemu) {
    String like = osRelease.getOrDefault("ID", "") + " " + osRelease.getOrDefault("ID_LIKE", "");
    for (String id : like.split(" ", -1)) {
      Install install = INSTALL.get(id);
      if (install != null) {
        return "type: sudo "
            + install.command()
            + " "
            + (qemu ? install.qemu() : install.busybox());
      }
    }
    return "install it with your system's packages";
  }
}
