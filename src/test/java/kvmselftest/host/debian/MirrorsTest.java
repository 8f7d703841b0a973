package kvmselftest.host.debian;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import kvmselftest.host.debian.Distribution.Family;
import org.junit.jupiter.api.Test;

class MirrorsTest {
  private static final Distribution BOOKWORM = new Distribution(Family.DEBIAN, "bookworm");

  @Test
  void takesTheDistributionsOwnArchivesOnly() {
    Mirrors mirrors =
        Mirrors.of(
            BOOKWORM,
            """
            bookworm main http://apt.example.com/
            bookworm main http://mirror.example.org/debian/
            bookworm contrib http://other.example.org/debian/
            bookworm-updates main http://mirror.example.org/debian/
            bookworm-security main http://security.example.org/debian-security/
            bookworm-pgdg main http://postgres.example.org/debian/
            """);
    assertEquals("http://mirror.example.org/debian/", mirrors.main());
    assertEquals(
        Map.of(
            "bookworm", "http://mirror.example.org/debian/",
            "bookworm-updates", "http://mirror.example.org/debian/",
            "bookworm-security", "http://security.example.org/debian-security/"),
        mirrors.suites());
  }

  @Test
  void fallsBackOnThePublicMirror() {
    Mirrors mirrors = Mirrors.of(BOOKWORM, "");
    assertEquals("http://deb.debian.org/debian/", mirrors.main());
    assertEquals(Map.of("bookworm", "http://deb.debian.org/debian/"), mirrors.suites());
  }

  @Test
  void writesASourceListThatTrustsTheArchivesKeysOnly() {
    SourceList list = Mirrors.of(BOOKWORM, "").own(BOOKWORM).preferring("http://m/debian", "more");
    assertEquals(2, list.text().split("Types: deb\n", -1).length - 1);
    assertTrue(
        list.text()
            .endsWith(
                """
                URIs: http://m/debian
                Suites: more
                Components: main
                Architectures: amd64
                Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
                """),
        list.text());
  }
}
