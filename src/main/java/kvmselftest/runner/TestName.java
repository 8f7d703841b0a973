package kvmselftest.runner;

import java.util.List;
import org.junit.platform.engine.TestSource;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;

/**
 * How a test is called in the console, in lists and after {@code --tests}.
 *
 * @param className the class without its package; a nested one as {@code Outer.Inner}; for what has
 *     no class (the engine), the display name
 * @param methodName empty for a class
 * @param label what tells a case of a method from the others, or a display name of its own; may be
 *     empty
 */
record TestName(String className, String methodName, String label) {
  static TestName of(TestIdentifier test) {
    TestSource source = test.getSource().orElse(null);
    return switch (source) {
      case MethodSource method ->
          new TestName(simple(method.getClassName()), method.getMethodName(), label(test, method));
      case ClassSource type -> new TestName(simple(type.getClassName()), "", "");
      case null, default -> new TestName(test.getDisplayName(), "", "");
    };
  }

  /** The full name of a test's class; empty for what has none. */
  static String classOf(TestIdentifier test) {
    return switch (test.getSource().orElse(null)) {
      case MethodSource method -> method.getClassName();
      case ClassSource type -> type.getClassName();
      case null, default -> "";
    };
  }

  /** The methods in a plan, in order; those with several cases once. */
  static List<TestIdentifier> methods(TestPlan plan) {
    return plan.getRoots().stream()
        .flatMap(root -> plan.getDescendants(root).stream())
        .filter(test -> test.getSource().orElse(null) instanceof MethodSource)
        .filter(
            test ->
                plan.getParent(test).flatMap(TestIdentifier::getSource).orElse(null)
                    instanceof ClassSource)
        .sorted((a, b) -> of(a).toString().compareTo(of(b).toString()))
        .toList();
  }

  /** The texts that a pattern may match. */
  List<String> candidates() {
    return List.of(className, className + "." + methodName, label);
  }

  /** Without the class; empty for a class. */
  String inClass() {
    return label.isEmpty() ? methodName : methodName + " " + label;
  }

  @Override
  public String toString() {
    String name = methodName.isEmpty() ? className : className + "." + methodName;
    return label.isEmpty() ? name : name + " " + label;
  }

  private static String simple(String className) {
    return className.substring(className.lastIndexOf('.') + 1).replace('$', '.');
  }

  /** Empty for the default display name, which says the method's name again. */
  private static String label(TestIdentifier test, MethodSource method) {
    String shown = test.getDisplayName();
    return shown.startsWith(method.getMethodName() + "(") ? "" : shown;
  }
}
