package kvmselftest.runner;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.LauncherConstants;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TagFilter;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;
import org.junit.platform.launcher.core.LauncherConfig;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * The tests that need a KVM device.
 *
 * @param classNames the classes to look in; given, not searched for, because to load every class of
 *     every jar takes seconds on an emulated CPU
 * @param tags of these, the tests with one of these JUnit tags
 */
public record Selftests(List<String> classNames, List<String> tags) {
  /** Written by the build beside the test classes: the names of those with a tag, a line each. */
  private static final String INDEX = "kvmselftest/selftests.index";

  /** What a test prints is then told of it, beside going to where it went. */
  private static final Map<String, String> CAPTURE =
      Map.of(
          LauncherConstants.CAPTURE_STDOUT_PROPERTY_NAME, "true",
          LauncherConstants.CAPTURE_STDERR_PROPERTY_NAME, "true");

  /** Copies both lists. */
  public Selftests {
    classNames = List.copyOf(classNames);
    tags = List.copyOf(tags);
  }

  /**
   * Those of this project: ported selftests and the VMM's own tests.
   *
   * @throws IllegalStateException if the class path has no selftests
   */
  public static Selftests ofSuite() {
    try (InputStream index = Selftests.class.getClassLoader().getResourceAsStream(INDEX)) {
      if (index == null) {
        throw new IllegalStateException(
            "no selftests on the class path (%s is missing): build with mvn package"
                .formatted(INDEX));
      }
      String text = new String(index.readAllBytes(), StandardCharsets.UTF_8);
      return new Selftests(
          text.lines().filter(line -> !line.isBlank()).toList(), List.of("selftest", "vmm"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The names of the selected tests, as {@code --tests} takes them. */
  public List<String> names(Selection selection) {
    TestPlan plan = launcher().discover(request(selection, Demands.NONE));
    return TestName.methods(plan).stream().map(Selftests::entry).toList();
  }

  /** What to say to a selection of which a pattern matches no test; nothing if all match. */
  public List<String> refusal(Selection selection) {
    return refusal(selection, launcher().discover(request(selection, Demands.NONE)));
  }

  List<String> refusal(Selection selection, TestPlan plan) {
    List<String> lines = new ArrayList<>();
    for (String pattern : selection.unmatchedIn(plan)) {
      lines.add("error: --tests '%s' matches no test".formatted(pattern));
    }
    if (!lines.isEmpty()) {
      lines.add("There are:");
      names(Selection.all()).forEach(name -> lines.add("  " + name));
    }
    return List.copyOf(lines);
  }

  private static String entry(TestIdentifier test) {
    return TestName.of(test) + (Selection.isThorough(test) ? " (with --thorough)" : "");
  }

  /**
   * A launcher with nothing but the engine: listeners found on the class path are for Maven's runs.
   */
  static Launcher launcher() {
    return LauncherFactory.create(
        LauncherConfig.builder()
            .enableTestExecutionListenerAutoRegistration(false)
            .enableLauncherSessionListenerAutoRegistration(false)
            .enableLauncherDiscoveryListenerAutoRegistration(false)
            .enablePostDiscoveryFilterAutoRegistration(false)
            .build());
  }

  LauncherDiscoveryRequest request(Selection selection, Demands demands) {
    return LauncherDiscoveryRequestBuilder.request()
        .selectors(classNames.stream().map(name -> selectClass(name)).toList())
        .filters(TagFilter.includeTags(tags), selection.filter())
        .configurationParameters(demands.parameters())
        .configurationParameters(CAPTURE)
        .build();
  }
}
