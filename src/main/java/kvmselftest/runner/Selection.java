package kvmselftest.runner;

import java.util.Arrays;
import java.util.List;
import org.junit.platform.engine.FilterResult;
import org.junit.platform.engine.TestDescriptor;
import org.junit.platform.engine.TestTag;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.PostDiscoveryFilter;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;

/**
 * Which of the selftests are to run: those whose class, {@code Class.method} or display name
 * matches one of the patterns. Without a pattern, all.
 *
 * @param patterns as typed, {@code *} and {@code ?} as in a shell
 * @param thorough whether those that take long are among them
 */
public record Selection(List<String> patterns, boolean thorough) {
  /** The tag of tests that take long. */
  private static final String THOROUGH = "thorough";

  /** Copies the patterns. */
  public Selection {
    patterns = List.copyOf(patterns);
  }

  /** Everything. */
  public static Selection all() {
    return new Selection(List.of(), true);
  }

  /** Of what stands after each {@code --tests}; one may hold several patterns, parted by commas. */
  public static Selection of(List<String> arguments, boolean thorough) {
    return new Selection(
        arguments.stream()
            .flatMap(argument -> Arrays.stream(argument.split(",")))
            .map(String::strip)
            .filter(pattern -> !pattern.isEmpty())
            .toList(),
        thorough);
  }

  PostDiscoveryFilter filter() {
    return descriptor -> FilterResult.includedIf(keeps(descriptor));
  }

  /** Whether a test is left out unless {@code --thorough} is given. */
  static boolean isThorough(TestIdentifier test) {
    return test.getTags().contains(TestTag.create(THOROUGH));
  }

  /** The patterns that match none of the tests in a plan. */
  List<String> unmatchedIn(TestPlan plan) {
    List<TestIdentifier> methods = TestName.methods(plan);
    return patterns.stream()
        .filter(pattern -> methods.stream().noneMatch(test -> matches(new Glob(pattern), test)))
        .toList();
  }

  /** Classes are kept: the platform drops those of which no method is left. */
  private boolean keeps(TestDescriptor descriptor) {
    if (!(descriptor.getSource().orElse(null) instanceof MethodSource)) {
      return true;
    }
    TestIdentifier test = TestIdentifier.from(descriptor);
    return (thorough || !isThorough(test))
        && (patterns.isEmpty()
            || patterns.stream().anyMatch(pattern -> matches(new Glob(pattern), test)));
  }

  private static boolean matches(Glob glob, TestIdentifier test) {
    return TestName.of(test).candidates().stream().anyMatch(glob::matches);
  }
}
