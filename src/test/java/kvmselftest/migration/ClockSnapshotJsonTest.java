package kvmselftest.migration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import kvmselftest.kvm.TscOffset;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A snapshot as text: to the bit there and back, and nothing else is read. */
class ClockSnapshotJsonTest {
  private static final ClockSnapshot EXAMPLE =
      new ClockSnapshot(
          new ClockReading(
              new Moment(8_123_456_789_012L, 2_707_818_929_670L),
              1_764_169_200_000_000_000L,
              ClockReading.Origin.KVM,
              0,
              0),
          List.of(
              new VcpuClock(
                  0, new TscOffset(-1_000_000_000_000L), 3_000_000, 3_000_000, TscScaling.NONE)));

  private static final String TEXT = ClockSnapshotJson.write(EXAMPLE);

  @Tag("training")
  @Test
  void whatWasWrittenIsRead() throws SnapshotFormatException {
    assertEquals(EXAMPLE, ClockSnapshotJson.read(ClockSnapshotJson.write(EXAMPLE)));
  }

  @Test
  void everyValueIsReadToTheBit() {
    new RandomInputs()
        .repeat(
            random -> {
              boolean kvm = random.nextLong() >= 0;
              ClockSnapshot snapshot =
                  new ClockSnapshot(
                      new ClockReading(
                          new Moment(random.nextLong(), random.nextLong()),
                          random.nextLong(),
                          kvm ? ClockReading.Origin.KVM : ClockReading.Origin.USER_SPACE,
                          kvm ? 0 : random.nextLong() >>> 1,
                          kvm ? 0 : random.nextLong() >>> 1),
                      List.of(random.nextVcpuClock()));
              String text = ClockSnapshotJson.write(snapshot);
              try {
                assertEquals(snapshot, ClockSnapshotJson.read(text));
              } catch (SnapshotFormatException e) {
                throw new AssertionError(text, e);
              }
            });
  }

  @Test
  void documentsExampleIsWhatIsWritten() throws IOException {
    String document =
        Files.readString(
            Path.of(System.getProperty("kvmselftest.basedir", "."), "docs/clock-snapshot.md"));
    Matcher example = Pattern.compile("(?s)\n    (\\{.*?)\n\n").matcher(document);
    assertTrue(example.find());
    assertEquals(TEXT, example.group(1).replaceAll("\\s+", ""));
  }

  @Test
  void unknownFieldsAreLeftOut() throws SnapshotFormatException {
    String more =
        TEXT.replaceFirst("\\{", "{\"note\":{\"by\":[1,2.5,null]},")
            .replace("\"index\"", "\"new\":true,\"index\"");
    assertEquals(EXAMPLE, ClockSnapshotJson.read(more));
  }

  static Stream<Arguments> unreadable() {
    return Stream.of(
        argumentSet("empty", "", "not JSON"),
        argumentSet("no JSON", "clocks", "not JSON"),
        argumentSet("a list", "[]", "the text is not an object"),
        argumentSet("another object", "{}", "the text has no format"),
        argumentSet("another format", changed("kvm-clock-snapshot", "qcow"), "format is not"),
        argumentSet("newer", changed("\"version\":1", "\"version\":2"), "version 2 is newer"),
        argumentSet("version 0", changed("\"version\":1", "\"version\":0"), "version of the text"),
        argumentSet("key twice", changed("\"index\":0", "\"index\":0,\"index\":0"), "Duplicate"),
        argumentSet("more behind", TEXT + TEXT, "not JSON"),
        argumentSet("a digit", changed("8123456789012", "8123456789013"), "they were changed"),
        argumentSet("a sign", changed("-1000000000000", "1000000000000"), "they were changed"),
        argumentSet("a number", changed("\"8123456789012\"", "8123456789012"), "not a string"),
        argumentSet("a fraction", changed("3000000,\"c", "3000000.5,\"c"), "tscKhz of vcpus[0]"),
        argumentSet("too large", changed("8123456789012", "18446744073709551616"), "64 bits"),
        argumentSet("a plus", changed("8123456789012", "+8123456789012"), "written as"),
        argumentSet("no vCPU", TEXT.replaceAll("\\[.*]", "[]"), "of no vCPU"),
        argumentSet("no rate", changed("\"tscKhz\":3000000", "\"tscKhz\":0"), "from 1 to"),
        argumentSet("no ratio", changed("\"ratio\":\"1\"", "\"ratio\":\"0\""), "no TSC scaling"),
        argumentSet("no field", changed("\"kvmclock\"", "\"clock\""), "reading has no kvmclock"),
        argumentSet("no object", changed("\"reading\":{", "\"reading\":1,\"r\":{"), "reading is"),
        argumentSet("origin", changed("\"kvm\"", "\"xen\""), "origin is neither"));
  }

  private static String changed(String from, String to) {
    String text = TEXT.replace(from, to);
    assertFalse(text.equals(TEXT), () -> from + " is not in " + TEXT);
    return text;
  }

  @ParameterizedTest
  @MethodSource("unreadable")
  void whatIsNoSnapshotIsRefusedInOneLine(String text, String reason) {
    SnapshotFormatException refused =
        assertThrows(SnapshotFormatException.class, () -> ClockSnapshotJson.read(text));
    String message = String.valueOf(refused.getMessage());
    assertTrue(message.contains(reason), message);
    assertEquals(1, message.lines().count(), message);
  }

  @Test
  void everyCutIsRefused() {
    for (int length = 0; length < TEXT.length(); length++) {
      String cut = TEXT.substring(0, length);
      assertThrows(SnapshotFormatException.class, () -> ClockSnapshotJson.read(cut), cut);
    }
  }

  /** Each character in turn, by one that may stand there: a value, if it is read, is the same. */
  @Test
  void everyChangedCharacterIsRefusedOrChangesNoValue() {
    for (int i = 0; i < TEXT.length(); i++) {
      char other = TEXT.charAt(i) == '7' ? '8' : '7';
      String text = TEXT.substring(0, i) + other + TEXT.substring(i + 1);
      try {
        assertEquals(EXAMPLE, ClockSnapshotJson.read(text), text);
      } catch (SnapshotFormatException e) {
        assertFalse(String.valueOf(e.getMessage()).isEmpty());
      }
    }
  }
}
