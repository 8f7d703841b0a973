package kvmselftest.host;

import java.time.Duration;
import java.util.List;

/**
 * What came back from a run that went to its end.
 *
 * @param ends how each command ended, in their order
 * @param boot from the start of QEMU until the modules were loaded
 * @param whole from the start of QEMU to its end
 */
public record HostResult(List<CommandEnd> ends, Duration boot, Duration whole) {
  public HostResult {
    ends = List.copyOf(ends);
  }

  /**
   * The exit status of one command.
   *
   * @param command from 0 on
   * @throws HostException if a signal killed it, which is no verdict
   */
  public int exitStatus(int command) throws HostException {
    return switch (ends.get(command)) {
      case CommandEnd.Exited(int status, long _) -> status;
      case CommandEnd.Killed killed ->
          throw new HostException(
              "no verdict: the program in the emulated host was "
                  + killed
                  + "; see the last lines of program and kernel above");
    };
  }
}
