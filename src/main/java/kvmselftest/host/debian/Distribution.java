package kvmselftest.host.debian;

import java.util.Map;
import java.util.Optional;

/**
 * A distribution whose packages apt fetches.
 *
 * @param family whose archive it is
 * @param codename of the release: bookworm, noble
 */
record Distribution(Family family, String codename) {
  /** An archive, with what differs between Debian's and Ubuntu's. */
  enum Family {
    DEBIAN(
        "main",
        "/usr/share/keyrings/debian-archive-keyring.gpg",
        "http://deb.debian.org/debian/",
        "linux-image-cloud-amd64"),
    UBUNTU(
        "main universe",
        "/usr/share/keyrings/ubuntu-archive-keyring.gpg",
        "http://archive.ubuntu.com/ubuntu/",
        "linux-image-generic");

    private final String components;
    private final String keyring;
    private final String mirror;
    private final String kernelPackage;

    Family(String components, String keyring, String mirror, String kernelPackage) {
      this.components = components;
      this.keyring = keyring;
      this.mirror = mirror;
      this.kernelPackage = kernelPackage;
    }

    String components() {
      return components;
    }

    /** The file with the keys that the archive is signed with. */
    String keyring() {
      return keyring;
    }

    /** The public mirror, for machines that name none of their own. */
    String mirror() {
      return mirror;
    }

    /** The package that depends on the newest kernel; Debian's smallest kernel that has KVM. */
    String kernelPackage() {
      return kernelPackage;
    }
  }

  /**
   * The distribution that an os-release file's fields tell of; those made from Ubuntu's packages
   * name its release in UBUNTU_CODENAME.
   */
  static Optional<Distribution> of(Map<String, String> osRelease) {
    Optional<String> ubuntu = Optional.ofNullable(osRelease.get("UBUNTU_CODENAME"));
    if (ubuntu.isPresent()) {
      return ubuntu.map(codename -> new Distribution(Family.UBUNTU, codename));
    }
    return "debian".equals(osRelease.get("ID"))
        ? Optional.ofNullable(osRelease.get("VERSION_CODENAME"))
            .map(codename -> new Distribution(Family.DEBIAN, codename))
        : Optional.empty();
  }

  /** The suite that has a QEMU fit for a JVM where the release itself has none. */
  Optional<String> qemuBackports() {
    return "bookworm".equals(codename) ? Optional.of("bookworm-backports") : Optional.empty();
  }
}
