package kvmselftest;

import java.util.Optional;
import java.util.stream.Stream;
import kvmselftest.kvm.Requirement;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.platform.commons.support.AnnotationSupport;

/** Skips what {@link Requires} something that this machine does not have. */
final class RequirementCondition implements ExecutionCondition {
  /** As a system property or a JUnit configuration parameter: true turns skips into failures. */
  private static final String FAIL_ON_SKIP = "kvmselftest.failOnSkip";

  @Override
  public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
    Optional<String> unmet =
        AnnotationSupport.findAnnotation(context.getElement(), Requires.class).stream()
            .map(Requires::value)
            .flatMap(Stream::of)
            .map(Requirement::unmet)
            .flatMap(Optional::stream)
            .findFirst();
    if (unmet.isEmpty()) {
      return ConditionEvaluationResult.enabled("this machine has what is required");
    }
    if (context.getConfigurationParameter(FAIL_ON_SKIP).map(Boolean::parseBoolean).orElse(false)) {
      throw new AssertionError("skipped, which " + FAIL_ON_SKIP + " forbids: " + unmet.get());
    }
    return ConditionEvaluationResult.disabled(unmet.get());
  }
}
