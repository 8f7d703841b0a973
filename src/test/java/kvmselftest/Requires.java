package kvmselftest;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import kvmselftest.kvm.Requirement;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * What a test class or method needs of the machine, in the order in which it is looked at. The
 * first that is not met skips the test, or fails it when skips are not wanted.
 */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(RequirementCondition.class)
public @interface Requires {
  Requirement[] value();
}
