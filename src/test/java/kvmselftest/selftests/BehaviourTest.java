package kvmselftest.selftests;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import kvmselftest.Requires;
import kvmselftest.kvm.Requirement;
import kvmselftest.probe.Behaviour;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Where kernels rightly differ, this one does what a known kernel does, and not something else.
 * Which of the known behaviours it has, the tests that depend on it assert.
 */
@Tag("selftest")
@Requires(Requirement.KVM)
class BehaviourTest {
  /** As a system property: true demands the newest behaviour. */
  private static final String STRICT = "kvmselftest.strict";

  static Stream<Arguments> behaviours() {
    return Arrays.stream(Behaviour.values())
        .filter(behaviour -> behaviour.unmet().isEmpty())
        .map(behaviour -> argumentSet(behaviour.key(), behaviour));
  }

  @ParameterizedTest
  @MethodSource("behaviours")
  void behaviourIsKnown(Behaviour behaviour, TestReporter reporter) {
    String seen = behaviour.seen();

    String observation =
        "%s: %s, of the known %s".formatted(behaviour.key(), seen, behaviour.known());
    reporter.publishEntry(observation);
    assertTrue(
        behaviour.known().contains(seen), () -> observation + ": no known kernel does as this one");
  }

  static Stream<Arguments> behavioursIfStrict() {
    return Boolean.getBoolean(STRICT) ? behaviours() : Stream.of();
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("behavioursIfStrict")
  void behaviourIsTheNewest(Behaviour behaviour, TestReporter reporter) {
    List<String> newest = behaviour.newest();
    String seen = behaviour.seen();

    reporter.publishEntry("%s: %s".formatted(behaviour.key(), seen));
    assertTrue(
        newest.contains(seen),
        () ->
            "%s: %s, of the known %s; --strict demands the newest, %s"
                .formatted(behaviour.key(), seen, behaviour.known(), newest));
  }
}
