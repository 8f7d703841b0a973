package kvmselftest.runner;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** System properties that are set until this is closed, and then are what they were before. */
final class SetProperties implements AutoCloseable {
  private final Map<String, @Nullable String> before = new HashMap<>();

  SetProperties(Map<String, String> properties) {
    properties.forEach((name, value) -> before.put(name, System.setProperty(name, value)));
  }

  @Override
  public void close() {
    before.forEach(SetProperties::restore);
  }

  private static void restore(String name, @Nullable String value) {
    if (value == null) {
      System.clearProperty(name);
    } else {
      System.setProperty(name, value);
    }
  }
}
