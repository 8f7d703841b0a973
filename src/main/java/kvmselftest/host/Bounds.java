package kvmselftest.host;

import java.time.Duration;

/**
 * When a run is given up.
 *
 * @param boot from the start of QEMU until the modules are loaded
 * @param run from there to the end of all commands
 */
public record Bounds(Duration boot, Duration run) {
  /** Booting takes 3 to 10 s; the rest is for machines with other things to do. */
  public static final Bounds STANDARD = new Bounds(Duration.ofMinutes(2), Duration.ofMinutes(30));

  public Bounds withBoot(Duration bound) {
    return new Bounds(bound, run);
  }

  public Bounds withRun(Duration bound) {
    return new Bounds(boot, bound);
  }
}
