package kvmselftest.host.debian;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Optional;
import kvmselftest.host.debian.Distribution.Family;
import org.junit.jupiter.api.Test;

class DistributionTest {
  @Test
  void knowsDebianAndItsRelease() {
    Optional<Distribution> bookworm =
        of("PRETTY_NAME=\"Debian GNU/Linux 12\"\nVERSION_CODENAME=bookworm\nID=debian\n");
    assertEquals(Optional.of(new Distribution(Family.DEBIAN, "bookworm")), bookworm);
    assertEquals(Optional.of("bookworm-backports"), bookworm.flatMap(Distribution::qemuBackports));
    assertEquals(
        Optional.empty(),
        of("ID=debian\nVERSION_CODENAME=trixie\n").flatMap(Distribution::qemuBackports));
  }

  @Test
  void knowsUbuntuAndWhatIsMadeFromIt() {
    Optional<Distribution> noble = Optional.of(new Distribution(Family.UBUNTU, "noble"));
    assertEquals(noble, of("ID=ubuntu\nVERSION_CODENAME=noble\nUBUNTU_CODENAME=noble\n"));
    assertEquals(noble, of("ID=linuxmint\nVERSION_CODENAME=wilma\nUBUNTU_CODENAME='noble'\n"));
  }

  @Test
  void knowsNoOther() {
    assertEquals(Optional.empty(), of("# Fedora\nID=fedora\nVERSION_CODENAME=\"\"\n"));
    assertEquals(Optional.empty(), of(""));
  }

  private static Optional<Distribution> of(String osRelease) {
    return Distribution.of(OsRelease.parse(osRelease));
  }
}
