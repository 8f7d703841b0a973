package kvmselftest.host.kernel;

import java.util.Optional;
import kvmselftest.host.HostException;

/** Somewhere a kernel's modules may be. */
sealed interface ModulePlace permits NamedPlace, BuildTree, FallbackPlace {
  /** A module's file with what it says of itself. */
  record Found(KernelModule module, Modinfo info) {}

  /**
   * The module for that kernel; nothing when there is none here.
   *
   * @throws HostException when what is here cannot be what the user wants
   */
  Optional<Found> find(String module, String release) throws HostException;

  /** Whether it is known here that the module is built into the kernel. */
  boolean isBuiltIn(String module);

  /** Where nothing was found, in words that follow a colon or comma. */
  String absence();
}
