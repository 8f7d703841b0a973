package kvmselftest.cli;

import java.time.Duration;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Vm;
import org.jspecify.annotations.Nullable;

/**
 * A VM with a vCPU that never runs, there for as long as this process lives. With the first VM of a
 * machine KVM takes hold of its CPUs, and with the first VM and the first vCPU without a local APIC
 * it patches the kernel's code (static keys), and back with the last: about 30 ms for each VM of a
 * test where a CPU is emulated, for nothing that a test is about. docs/emulated-host.md has the
 * figures.
 */
final class StandingVm {
  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final long MEMORY_SIZE = 0x1000;

  /** Never closed: the process's end does that, which a KVM that hangs cannot keep from exiting. */
  @SuppressWarnings("unused")
  private static volatile @Nullable Vm vm;

  private StandingVm() {}

  /** Makes it, if that can be done within {@link #PATIENCE}. */
  static void make() {
    Thread maker = Thread.ofPlatform().daemon().name("standing VM").start(StandingVm::tryMake);
    try {
      maker.join(PATIENCE);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void tryMake() {
    try {
      make(Kvm.open());
    } catch (RuntimeException e) {
      // The tests are there to say what is wrong.
    }
  }

  private static void make(Kvm kvm) {
    // First one that goes again: what KVM does wrong when it lets go, or takes hold anew, the
    // tests then see.
    kvm.requireUsable();
    Vm made = kvm.createVm(MEMORY_SIZE);
    made.createVcpu(0);
    vm = made;
  }
}
