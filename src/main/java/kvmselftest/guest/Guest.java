package kvmselftest.guest;

import kvmselftest.kvm.GuestMemory;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Regs;
import kvmselftest.kvm.Vcpu;
import kvmselftest.kvm.Vm;
import kvmselftest.x86.LongMode;

/**
 * A VM with a guest program in its memory, ready for vCPUs: upstream's {@code vm_create} and {@code
 * vm_arch_vcpu_add}. Closing it closes the VM.
 *
 * <p>Its memory, by guest-physical address, which is also the linear address:
 *
 * <pre>
 *   0x001000  page tables, GDT, IDT, TSSs (LongMode)
 *   0x020000  two stacks for each vCPU: its own and the one for exceptions, 4 KiB each
 *   0x100000  the blob
 *   0x200000  a page for each vCPU's pvclock
 *   0x300000  what a guest shares with its host (ClockGuest)
 * </pre>
 */
public final class Guest implements AutoCloseable {
  /** Size of the memory, bytes. */
  public static final long MEMORY_SIZE = 0x40_0000;

  private static final long STACKS = 0x2_0000;
  private static final long STACK_SIZE = 0x1000;
  private static final long PVCLOCK_PAGES = 0x20_0000;
  private static final long PAGE_SIZE = 0x1000;

  /** What guests share with their host as they like: 1 MiB. */
  static final long SHARED = 0x30_0000;

  private final Vm vm;
  private final GuestBlob blob;

  private Guest(Vm vm, GuestBlob blob) {
    this.vm = vm;
    this.blob = blob;
  }

  /** Creates a VM and loads the blob into its memory. */
  public static Guest load(Kvm kvm, GuestBlob blob) {
    Vm vm = kvm.createVm(MEMORY_SIZE);
    GuestMemory memory = vm.memory();
    memory.write(GuestBlob.LOAD_GPA, blob.bytes());
    LongMode.writeTables(memory.segment(), blob.exceptions(), blob.exceptionSize());
    return new Guest(vm, blob);
  }

  public Vm vm() {
    return vm;
  }

  /**
   * Creates a vCPU that will start at guest_main. It belongs to the calling thread.
   *
   * @param index 0 to {@link LongMode#MAX_VCPUS} - 1
   * @param argument guest_main's second argument; the first is the index
   */
  public Vcpu createVcpu(int index, long argument) {
    LongMode longMode = new LongMode(index);
    long stackTop = STACKS + (2L * index + 1) * STACK_SIZE;
    longMode.writeTss(vm.memory().segment(), stackTop + STACK_SIZE);
    Vcpu vcpu = vm.createVcpu(index);
    vcpu.enterLongMode(longMode);
    vcpu.setRegs(Regs.entry(blob.entry(), stackTop, index, argument));
    return vcpu;
  }

  /** The address of the page that is meant for a vCPU's pvclock. */
  public static long pvclockGpa(int vcpu) {
    return PVCLOCK_PAGES + vcpu * PAGE_SIZE;
  }

  @Override
  public void close() {
    vm.close();
  }
}
