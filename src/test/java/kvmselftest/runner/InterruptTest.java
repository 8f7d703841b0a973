package kvmselftest.runner;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import kvmselftest.ChildJvm;
import org.junit.jupiter.api.Test;

/** Ctrl-C while a test runs: what there is of the run is said before the JVM ends. */
class InterruptTest {
  /** The program that is interrupted. */
  static final class Program {
    private Program() {}

    public static void main(String[] arguments) {
      View view = new View(false, false, false, arguments.length > 0);
      Selftests samples =
          new Selftests(
              Stream.of(Samples.Plain.class, Samples.Hanging.class, Samples.Passing.class)
                  .map(Class::getName)
                  .toList(),
              List.of("sample"));
      new SelftestRun(
              samples,
              Selection.all(),
              1,
              Duration.ofMinutes(2),
              Demands.NONE,
              Stream::empty,
              () -> SampleRun.HOST,
              null,
              Console.of(System.out, System.err, view),
              new Announcing())
          .run();
    }
  }

  /** Says when a test begins, and when the run is over. */
  private static final class Announcing implements TestWatch {
    @Override
    public void started(String test) {
      System.out.println("running " + test);
    }

    @Override
    public void ended() {}

    @Override
    public void close() {
      System.out.println("watch closed");
    }
  }

  @Test
  void saysWhatHasEndedAndWhatHasNot() throws Exception {
    String said = interrupted();

    assertTrue(
        said.endsWith(
            """

            Interrupted 1:
              Samples.Hanging.blocks
            # Totals: pass:2 fail:0 xfail:0 xpass:0 skip:0 error:1
            watch closed
            """),
        said);
  }

  @Test
  void leavesThePlanOfKtapUnfulfilled() throws Exception {
    String said = interrupted("ktap");

    assertTrue(
        said.contains(
            """
            not ok 2 Samples.Hanging
            # no verdict on 1 of 3 classes: interrupted
            Bail out! interrupted
            # Totals: pass:2 fail:0 xfail:0 xpass:0 skip:0 error:1
            """),
        said);
    assertTrue(said.contains("  not ok 1 blocks # ERROR "), said);
  }

  /** What the program says after the interrupt. */
  private static String interrupted(String... arguments) throws Exception {
    try (ChildJvm program = ChildJvm.start(Program.class, arguments)) {
      program.await("running Samples.Hanging.blocks");
      return program.interrupt();
    }
  }
}
