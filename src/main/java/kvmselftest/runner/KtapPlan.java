package kvmselftest.runner;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;

/**
 * How many tests there are to be, as far as that is known before they run: the classes always, the
 * tests in one only if none of its methods has cases, which JUnit makes as it comes to them.
 */
record KtapPlan(Map<String, OptionalInt> testsOfClass) {
  static KtapPlan of(TestPlan plan) {
    Map<String, OptionalInt> tests = new LinkedHashMap<>();
    plan.getRoots().stream()
        .flatMap(root -> plan.getDescendants(root).stream())
        .filter(test -> test.getSource().orElse(null) instanceof ClassSource)
        .filter(type -> plan.getChildren(type).stream().anyMatch(KtapPlan::isMethod))
        .forEach(type -> tests.put(TestName.of(type).className(), size(plan.getChildren(type))));
    return new KtapPlan(tests);
  }

  boolean hasClass(String className) {
    return testsOfClass.containsKey(className);
  }

  int classes() {
    return testsOfClass.size();
  }

  /** Empty if it is not known yet. */
  OptionalInt testsOf(String className) {
    return testsOfClass.getOrDefault(className, OptionalInt.empty());
  }

  private static OptionalInt size(Set<TestIdentifier> children) {
    boolean known = children.stream().filter(KtapPlan::isMethod).allMatch(TestIdentifier::isTest);
    return known
        ? OptionalInt.of((int) children.stream().filter(KtapPlan::isMethod).count())
        : OptionalInt.empty();
  }

  private static boolean isMethod(TestIdentifier test) {
    return test.getSource().orElse(null) instanceof MethodSource;
  }
}
