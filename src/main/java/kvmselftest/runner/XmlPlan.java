package kvmselftest.runner;

import java.util.List;
import org.junit.platform.engine.TestDescriptor;
import org.junit.platform.engine.support.descriptor.AbstractTestDescriptor;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.engine.support.descriptor.EngineDescriptor;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;

/**
 * The tests that have ended, as JUnit's writer of XML is to see them. It takes what it writes from
 * a plan: of JUnit's own plan that is names such as {@code method(Type)[2]}, every test that is not
 * reached in a run that is cut off (as one that passed), and a failing set-up under the names of
 * tests that never ran. Here each test is called as everywhere else, and directly below its engine.
 *
 * <p>A test has the unique id that it has in the run, and JUnit compares by that: the events of the
 * run mean the tests of this plan.
 *
 * <p>JUnit has no way to change a plan but those of its methods that it calls internal. They are
 * called in this class alone; with a JUnit that lacks them it does not compile.
 */
final class XmlPlan {
  private final TestPlan original;
  private final TestPlan plan;
  private final TestDescriptor engine;

  /** One without tests, of the engine whose plan it is. */
  XmlPlan(TestPlan original) {
    this.original = original;
    TestIdentifier root = original.getRoots().iterator().next();
    engine = new EngineDescriptor(root.getUniqueIdObject(), root.getDisplayName());
    plan =
        TestPlan.from(
            true,
            List.of(engine),
            original.getConfigurationParameters(),
            original.getOutputDirectoryCreator());
  }

  /** For the writer, which reads it at the end. */
  TestPlan plan() {
    return plan;
  }

  void add(TestIdentifier test) {
    plan.addInternal(TestIdentifier.from(new Named(test, path(test), engine)));
  }

  /** As the writer makes one of display names, but for the engine, which it adds. */
  private String path(TestIdentifier test) {
    return original
        .getParent(test)
        .filter(parent -> parent.getParentIdObject().isPresent())
        .map(parent -> path(parent) + " > " + test.getDisplayName())
        .orElse(test.getDisplayName());
  }

  private static final class Named extends AbstractTestDescriptor {
    private final String name;

    private Named(TestIdentifier test, String path, TestDescriptor engine) {
      super(test.getUniqueIdObject(), path, ClassSource.from(TestName.classOf(test)));
      name = TestName.of(test).toString();
      setParent(engine);
    }

    @Override
    public String getLegacyReportingName() {
      return name;
    }

    @Override
    public Type getType() {
      return Type.TEST;
    }
  }
}
