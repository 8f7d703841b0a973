package kvmselftest.host.debian;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class DebPackageTest {
  @Test
  void readsWhatAptCacheShows() {
    DebPackage read =
        DebPackage.ofStanza(
            """
            Package: linux-image-7.2.13+deb14-cloud-amd64
            Version: 7.2.13-1
            Pre-Depends: linux-base (>= 4.12~)
            Depends: linux-binary-7.2.13 (= 7.2.13-1), kmod, initramfs-tools (>= 0.120) | dracut:any
            Description: Linux
             Depends: not a field, a line of the description
            """);
    assertEquals(
        new DebPackage(
            "linux-image-7.2.13+deb14-cloud-amd64",
            "7.2.13-1",
            List.of("linux-base", "linux-binary-7.2.13", "kmod", "initramfs-tools", "dracut")),
        read);
  }

  @Test
  void readsWhatAptGetPrintsOfAddresses() {
    DebPackage read =
        DebPackage.ofUriLine(
            "'http://mirror/pool/q_1%3a10.0.2+ds-2_amd64.deb'"
                + " qemu-system-x86_1%3a10.0.2+ds-2~bpo12+1_amd64.deb 10176912 SHA256:00");
    assertEquals("qemu-system-x86=1:10.0.2+ds-2~bpo12+1", read.pinned());
  }
}
