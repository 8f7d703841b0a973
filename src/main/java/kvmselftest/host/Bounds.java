package kvmselftest.host;

import java.time.Duration;

/**
 * When a run is given up.
 *
 * @param boot from the start of QEMU until the modules are loaded
 * @param run from there to the end of all commands
 * @param silence between two signs of life, of which the host gives one every 5 s of its own time;
 *     one second at least
 */
public record Bounds(Duration boot, Duration run, Duration silence) {
  /** Booting takes 3 to 10 s; the rest is for machines with other things to do. */
  public static final Bounds STANDARD =
      new Bounds(Duration.ofMinutes(2), Duration.ofMinutes(30), Duration.ofMinutes(2));

  public Bounds withBoot(Duration bound) {
    return new Bounds(bound, run, silence);
  }

  public Bounds withRun(Duration bound) {
    return new Bounds(boot, bound, silence);
  }

  public Bounds withSilence(Duration bound) {
    return new Bounds(boot, run, bound);
  }
}
