package kvmselftest.migration;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.zip.CRC32C;
import kvmselftest.kvm.TscOffset;

/** A snapshot as text, for a file or a wire: docs/clock-snapshot.md has the format. */
public final class ClockSnapshotJson {
  private static final String FORMAT = "kvm-clock-snapshot";
  private static final int VERSION = 1;

  private static final ObjectReader READER =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build()
          .readerFor(JsonNode.class);

  private ClockSnapshotJson() {}

  /** One line, without an end of line. */
  public static String write(ClockSnapshot snapshot) {
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    root.put("format", FORMAT).put("version", VERSION);
    ClockReading reading = snapshot.reading();
    root.putObject("reading")
        .put("origin", reading.origin().name().toLowerCase(Locale.ROOT))
        .put("hostTsc", Long.toUnsignedString(reading.moment().hostTsc()))
        .put("kvmclock", Long.toUnsignedString(reading.moment().kvmclock()))
        .put("realtime", Long.toUnsignedString(reading.realtime()))
        .put("tscError", Long.toUnsignedString(reading.tscError()))
        .put("realtimeError", Long.toUnsignedString(reading.realtimeError()));
    ArrayNode vcpus = root.putArray("vcpus");
    for (VcpuClock vcpu : snapshot.vcpus()) {
      vcpus
          .addObject()
          .put("index", vcpu.index())
          .put("tscOffset", Long.toString(vcpu.offset().ticks()))
          .put("tscKhz", vcpu.tscKhz())
          .put("countsAtKhz", vcpu.countsAtKhz())
          .put("ratio", Long.toUnsignedString(vcpu.scaling().ratio()))
          .put("fractionBits", vcpu.scaling().fractionBits());
    }
    return root.put("crc32c", checksum(snapshot)).toString();
  }

  /**
   * Reads what {@link #write} wrote, now or in a later version of the same format: what it does not
   * know it leaves out.
   *
   * @throws SnapshotFormatException if the text is anything else
   */
  public static ClockSnapshot read(String text) throws SnapshotFormatException {
    SnapshotFields root = new SnapshotFields("the text", parsed(text));
    if (!root.text("format").equals(FORMAT)) {
      throw new SnapshotFormatException("format is not " + FORMAT);
    }
    long version = root.number("version", 1, Integer.MAX_VALUE);
    if (version != VERSION) {
      throw new SnapshotFormatException(
          "version %d is newer than %d, which is all that is known here"
              .formatted(version, VERSION));
    }
    ClockSnapshot snapshot = snapshot(root);
    if (!root.text("crc32c").equals(checksum(snapshot))) {
      throw new SnapshotFormatException(
          "crc32c is %s, and that of the values %s: they were changed"
              .formatted(root.text("crc32c"), checksum(snapshot)));
    }
    return snapshot;
  }

  private static JsonNode parsed(String text) throws SnapshotFormatException {
    try {
      return READER.readValue(text);
    } catch (JsonProcessingException e) {
      throw new SnapshotFormatException(
          "not JSON, or not all of it: line %d, column %d: %s"
              .formatted(
                  e.getLocation() == null ? 1 : e.getLocation().getLineNr(),
                  e.getLocation() == null ? 1 : e.getLocation().getColumnNr(),
                  e.getOriginalMessage().lines().findFirst().orElse("")));
    }
  }

  private static ClockSnapshot snapshot(SnapshotFields root) throws SnapshotFormatException {
    try {
      ClockReading reading = reading(root.object("reading"));
      List<VcpuClock> vcpus = new ArrayList<>();
      for (SnapshotFields vcpu : root.objects("vcpus")) {
        vcpus.add(vcpu(vcpu));
      }
      return new ClockSnapshot(reading, vcpus);
    } catch (IllegalArgumentException e) {
      throw new SnapshotFormatException(String.valueOf(e.getMessage()));
    }
  }

  private static ClockReading reading(SnapshotFields fields) throws SnapshotFormatException {
    ClockReading.Origin origin =
        switch (fields.text("origin")) {
          case "kvm" -> ClockReading.Origin.KVM;
          case "user_space" -> ClockReading.Origin.USER_SPACE;
          default -> throw new SnapshotFormatException("origin is neither kvm nor user_space");
        };
    return new ClockReading(
        new Moment(fields.unsigned("hostTsc"), fields.unsigned("kvmclock")),
        fields.unsigned("realtime"),
        origin,
        fields.unsigned("tscError"),
        fields.unsigned("realtimeError"));
  }

  private static VcpuClock vcpu(SnapshotFields fields) throws SnapshotFormatException {
    return new VcpuClock(
        (int) fields.number("index", 0, Integer.MAX_VALUE),
        new TscOffset(fields.signed("tscOffset")),
        fields.number("tscKhz", 1, (1L << 32) - 1),
        fields.number("countsAtKhz", 1, (1L << 32) - 1),
        new TscScaling(fields.unsigned("ratio"), (int) fields.number("fractionBits", 0, 64)));
  }

  /** CRC-32C of all values in the order of the document, as they are written, parted by blanks. */
  private static String checksum(ClockSnapshot snapshot) {
    ClockReading reading = snapshot.reading();
    StringBuilder values = new StringBuilder(reading.origin().name().toLowerCase(Locale.ROOT));
    for (long value :
        new long[] {
          reading.moment().hostTsc(),
          reading.moment().kvmclock(),
          reading.realtime(),
          reading.tscError(),
          reading.realtimeError()
        }) {
      values.append(' ').append(Long.toUnsignedString(value));
    }
    for (VcpuClock vcpu : snapshot.vcpus()) {
      values.append(' ').append(vcpu.index()).append(' ').append(vcpu.offset().ticks());
      values.append(' ').append(vcpu.tscKhz()).append(' ').append(vcpu.countsAtKhz());
      values.append(' ').append(Long.toUnsignedString(vcpu.scaling().ratio()));
      values.append(' ').append(vcpu.scaling().fractionBits());
    }
    CRC32C crc = new CRC32C();
    crc.update(values.toString().getBytes(StandardCharsets.US_ASCII));
    return "%08x".formatted(crc.getValue());
  }
}
