package kvmselftest.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Leaves the KTAP of samples that end in every way there is in {@code target/ktap-samples}, for
 * ci/check-ktap.sh, which feeds it to the kernel's own parser.
 */
class KtapSamplesTest {
  private static final List<Class<?>> SAMPLES =
      List.of(
          Samples.Plain.class,
          Samples.Passing.class,
          Samples.Failing.class,
          Samples.Skipping.class,
          Samples.SkippedWhole.class,
          Samples.AbortedWhole.class,
          Samples.FailingSetUp.class,
          Samples.LackingSource.class,
          Samples.WeirdlyNamed.class);

  @Test
  void leavesRunThatEnds() throws IOException {
    SampleRun run = SampleRun.of(SAMPLES.toArray(Class<?>[]::new)).ktap();

    assertEquals(ExitStatus.FAILED, run.run());

    leave("whole", run);
  }

  @Test
  void leavesRunThatTimesOut() throws IOException {
    Class<?>[] classes =
        Stream.concat(
                Stream.of(Samples.Plain.class, Samples.Hanging.class), SAMPLES.stream().skip(1))
            .toArray(Class<?>[]::new);
    SampleRun run = SampleRun.of(classes).ktap().timeout(Duration.ofMillis(1200));

    assertEquals(ExitStatus.FAILED, run.run());

    leave("cut", run);
  }

  private static void leave(String name, SampleRun run) throws IOException {
    Path folder = Path.of(System.getProperty("kvmselftest.basedir", "."), "target/ktap-samples");
    Files.createDirectories(folder);
    Files.writeString(folder.resolve(name), run.text());
  }
}
