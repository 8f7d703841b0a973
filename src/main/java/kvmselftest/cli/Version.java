package kvmselftest.cli;

import java.util.Objects;
import picocli.CommandLine.IVersionProvider;

/** What {@code --version} shows. */
final class Version implements IVersionProvider {
  @Override
  public String[] getVersion() {
    String own = Version.class.getPackage().getImplementationVersion();
    return new String[] {
      "kvm-clock-selftests " + Objects.requireNonNullElse(own, "(not built as a jar)"),
      "Java %s (%s)".formatted(property("java.version"), property("java.vendor")),
      "%s %s %s".formatted(property("os.name"), property("os.version"), property("os.arch")),
    };
  }

  private static String property(String name) {
    return System.getProperty(name, "unknown");
  }
}
