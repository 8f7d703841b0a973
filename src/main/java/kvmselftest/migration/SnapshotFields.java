package kvmselftest.migration;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The fields of an object in a snapshot, each of the type that the format has for it. */
final class SnapshotFields {
  private final String where;
  private final JsonNode node;

  /**
   * @param where it was found, for messages
   */
  SnapshotFields(String where, @Nullable JsonNode node) throws SnapshotFormatException {
    if (node == null || !node.isObject()) {
      throw new SnapshotFormatException(where + " is not an object");
    }
    this.where = where;
    this.node = node;
  }

  private JsonNode field(String name) throws SnapshotFormatException {
    JsonNode field = node.get(name);
    if (field == null) {
      throw new SnapshotFormatException("%s has no %s".formatted(where, name));
    }
    return field;
  }

  SnapshotFields object(String name) throws SnapshotFormatException {
    return new SnapshotFields(name, field(name));
  }

  List<SnapshotFields> objects(String name) throws SnapshotFormatException {
    if (!field(name).isArray()) {
      throw new SnapshotFormatException(name + " is not an array");
    }
    List<SnapshotFields> objects = new ArrayList<>();
    for (JsonNode element : field(name)) {
      objects.add(new SnapshotFields("%s[%d]".formatted(name, objects.size()), element));
    }
    return objects;
  }

  String text(String name) throws SnapshotFormatException {
    if (!field(name).isTextual()) {
      throw wrong(name, "a string");
    }
    return field(name).textValue();
  }

  /** A whole number in a range. */
  long number(String name, long least, long most) throws SnapshotFormatException {
    JsonNode field = field(name);
    if (!field.isIntegralNumber()
        || !field.canConvertToLong()
        || field.longValue() < least
        || field.longValue() > most) {
      throw wrong(name, "a number from %d to %d".formatted(least, most));
    }
    return field.longValue();
  }

  /** 64 bits, a string of decimal digits: a JSON number of that size is inexact to many readers. */
  long unsigned(String name) throws SnapshotFormatException {
    long value;
    try {
      value = Long.parseUnsignedLong(text(name));
    } catch (NumberFormatException e) {
      throw wrong(name, "64 bits, unsigned, in decimal");
    }
    return canonical(name, Long.toUnsignedString(value), value);
  }

  /** 64 bits with a sign, a string of decimal digits. */
  long signed(String name) throws SnapshotFormatException {
    long value;
    try {
      value = Long.parseLong(text(name));
    } catch (NumberFormatException e) {
      throw wrong(name, "64 bits with a sign, in decimal");
    }
    return canonical(name, Long.toString(value), value);
  }

  private long canonical(String name, String expected, long value) throws SnapshotFormatException {
    if (!text(name).equals(expected)) {
      throw wrong(name, "written as " + expected);
    }
    return value;
  }

  private SnapshotFormatException wrong(String name, String expected)
      throws SnapshotFormatException {
    return new SnapshotFormatException(
        "%s of %s is %s, not %s".formatted(name, where, shortened(field(name)), expected));
  }

  private static String shortened(JsonNode value) {
    String text = value.toString();
    return text.length() > 40 ? text.substring(0, 40) + "..." : text;
  }
}
