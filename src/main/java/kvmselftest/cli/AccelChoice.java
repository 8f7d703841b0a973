package kvmselftest.cli;

import java.util.Optional;
import java.util.function.Supplier;
import kvmselftest.host.Accelerator;
import kvmselftest.host.NestedKvm;
import kvmselftest.host.Progress;
import kvmselftest.host.UsageException;

/** How the emulated host is to be run. */
enum AccelChoice {
  /** By this machine's KVM if it can, otherwise emulated. */
  AUTO,
  /** By this machine's KVM or not at all. */
  KVM,
  /** Emulated, whatever this machine has. */
  TCG;

  /**
   * Decides.
   *
   * @param kvmUnusable why this machine's KVM cannot be used; empty if it can
   * @param reason told why KVM is not used where it might have been
   * @throws UsageException when it must be KVM and cannot
   */
  Accelerator decide(Supplier<Optional<String>> kvmUnusable, NestedKvm nested, Progress reason)
      throws UsageException {
    if (this == TCG) {
      return Accelerator.TCG;
    }
    try {
      Optional<String> unusable = kvmUnusable.get();
      if (unusable.isPresent()) {
        throw new UsageException(unusable.get());
      }
      return nested.accelerator();
    } catch (UsageException e) {
      if (this == KVM) {
        throw new UsageException("--accel kvm cannot be had: " + e.getMessage(), e);
      }
      reason.step("accelerator TCG, because " + e.getMessage());
      return Accelerator.TCG;
    }
  }
}
