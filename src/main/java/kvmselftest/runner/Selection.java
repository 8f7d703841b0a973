package kvmselftest.runner;

import java.util.Arrays;
import java.util.List;
import org.junit.platform.engine.FilterResult;
import org.junit.platform.engine.TestDescriptor;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.PostDiscoveryFilter;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;

/**
 * Which of the selftests are to run: those whose class, {@code Class.method} or display name
 * matches one of the patterns. Without a pattern, all.
 */
public record Selection(List<String> patterns) {
  /** Copies the patterns. */
  public Selection {
    patterns = List.copyOf(patterns);
  }

  /** Everything. */
  public static Selection all() {
    return new Selection(List.of());
  }

  /** Of what stands after each {@code --tests}; one may hold several patterns, parted by commas. */
  public static Selection of(List<String> arguments) {
    return new Selection(
        arguments.stream()
            .flatMap(argument -> Arrays.stream(argument.split(",")))
            .map(String::strip)
            .filter(pattern -> !pattern.isEmpty())
            .toList());
  }

  PostDiscoveryFilter filter() {
    return descriptor -> FilterResult.includedIf(patterns.isEmpty() || keeps(descriptor));
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
    TestIdentifier test = TestIdentifier.from(descriptor);
    return !(descriptor.getSource().orElse(null) instanceof MethodSource)
        || patterns.stream().anyMatch(pattern -> matches(new Glob(pattern), test));
  }

  private static boolean matches(Glob glob, TestIdentifier test) {
    return TestName.of(test).candidates().stream().anyMatch(glob::matches);
  }
}
