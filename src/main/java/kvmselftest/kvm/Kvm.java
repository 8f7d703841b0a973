package kvmselftest.kvm;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import kvmselftest.bindings.kvm_cpuid2;
import kvmselftest.bindings.kvm_cpuid_entry2;
import kvmselftest.bindings.kvm_h;
import kvmselftest.bindings.kvm_msr_list;
import kvmselftest.sys.Errno;
import kvmselftest.sys.Fd;
import kvmselftest.sys.SyscallException;

/**
 * The system file descriptor, {@code /dev/kvm} (api.rst, section 4, "system ioctls"). Any thread
 * may use it. Closing it leaves its VMs as they are.
 */
public final class Kvm implements AutoCloseable {
  /** The system property that names another device than {@code /dev/kvm}. */
  public static final String DEVICE_PROPERTY = "kvmselftest.device";

  /** Where the device is. */
  public static final Path DEVICE = Path.of(System.getProperty(DEVICE_PROPERTY, "/dev/kvm"));

  /** More CPUID leaves than any kernel reports (arch/x86/kvm/cpuid.h: KVM_MAX_CPUID_ENTRIES). */
  private static final int MAX_CPUID_ENTRIES = 256;

  /** More MSRs than any kernel lists. */
  private static final int MAX_MSRS = 4096;

  private final Path device;
  private final KvmFd fd;

  private Kvm(Path device, KvmFd fd) {
    this.device = device;
    this.fd = fd;
  }

  /**
   * Opens {@link #DEVICE}.
   *
   * @throws KvmUnavailableException if it cannot be used
   */
  public static Kvm open() {
    return open(DEVICE);
  }

  /**
   * Opens a device and checks that it is KVM's, of the one API version there is.
   *
   * @throws KvmUnavailableException if it cannot be used
   */
  public static Kvm open(Path device) {
    String os = System.getProperty("os.name", "");
    String arch = System.getProperty("os.arch", "");
    if (!os.toLowerCase(Locale.ROOT).equals("linux") || !arch.equals("amd64")) {
      throw Unavailability.notLinuxOnX86(os, arch);
    }
    KvmFd fd = openFd(device);
    try {
      checkVersion(device, fd);
      return new Kvm(device, fd);
    } catch (KvmUnavailableException e) {
      fd.close();
      throw e;
    }
  }

  private static KvmFd openFd(Path device) {
    try {
      return new KvmFd(Fd.open(device.toString()));
    } catch (SyscallException e) {
      throw Unavailability.open(device, e.errno());
    }
  }

  private static void checkVersion(Path device, KvmFd fd) {
    try {
      int version = fd.ioctl(Ioctl.KVM_GET_API_VERSION, 0);
      if (version != kvm_h.KVM_API_VERSION()) {
        throw Unavailability.otherVersion(device, version, kvm_h.KVM_API_VERSION());
      }
    } catch (SyscallException e) {
      throw Unavailability.notKvm(device, e.errno());
    }
  }

  /**
   * Checks that guests will run on the CPU's own virtualization, and creates and drops a VM, which
   * is when KVM takes hold of the CPU.
   *
   * @throws KvmUnavailableException if KVM's module is neither kvm_intel nor kvm_amd, or no VM can
   *     be created, such as EBUSY with another hypervisor
   */
  public void requireUsable() {
    VendorModule.unsupported(VendorModule.MODULES)
        .ifPresent(
            module -> {
              throw Unavailability.otherVendor(device, module);
            });
    try (KvmFd _ = fd.ioctlFd(Ioctl.KVM_CREATE_VM, 0, "VM")) {
      // It could be made: that is all.
    } catch (SyscallException e) {
      throw Unavailability.createVm(device, e.errno());
    }
  }

  /** KVM_CHECK_EXTENSION: 0 if the capability is missing, otherwise what it answers. */
  public int checkExtension(Capability capability) {
    return fd.ioctl(Ioctl.KVM_CHECK_EXTENSION, capability.number());
  }

  /** KVM_GET_VCPU_MMAP_SIZE: the size of kvm_run in bytes. */
  int vcpuMmapSize() {
    return fd.ioctl(Ioctl.KVM_GET_VCPU_MMAP_SIZE, 0);
  }

  /**
   * KVM_CREATE_VM, with memory from GPA 0.
   *
   * @param memorySize in bytes, a multiple of 4096
   * @throws SyscallException as an ioctl fails
   */
  public Vm createVm(long memorySize) {
    return new Vm(
        fd.ioctlFd(Ioctl.KVM_CREATE_VM, 0, "VM"), vcpuMmapSize(), supportedCpuid(), memorySize);
  }

  private MemorySegment readSupportedCpuid(Arena arena) {
    MemorySegment cpuid =
        arena.allocate(kvm_cpuid2.sizeof() + MAX_CPUID_ENTRIES * kvm_cpuid_entry2.sizeof(), 8);
    kvm_cpuid2.nent(cpuid, MAX_CPUID_ENTRIES);
    fd.ioctl(Ioctl.KVM_GET_SUPPORTED_CPUID, cpuid);
    return cpuid;
  }

  /** KVM_GET_SUPPORTED_CPUID, as KVM_SET_CPUID2 takes it; shared by threads, freed when unused. */
  private MemorySegment supportedCpuid() {
    MemorySegment cpuid = readSupportedCpuid(Arena.ofAuto());
    if (checkExtension(Capability.KVM_CAP_TSC_DEADLINE_TIMER) != 0) {
      Cpuid.addTscDeadline(cpuid);
    }
    return cpuid;
  }

  /**
   * KVM_GET_SUPPORTED_CPUID: a leaf of what guests may be shown; all zeros if it is not there.
   *
   * @param function EAX of the CPUID instruction
   * @param index ECX of it, where that matters
   */
  public CpuidLeaf supportedCpuid(int function, int index) {
    try (Arena arena = Arena.ofConfined()) {
      return Cpuid.leaf(readSupportedCpuid(arena), function, index);
    }
  }

  /** KVM_GET_MSR_INDEX_LIST: the MSRs that make up a vCPU's state, those of this host's CPU. */
  public List<Integer> msrIndexList() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment list = msrList(arena, MAX_MSRS);
      fd.ioctl(Ioctl.KVM_GET_MSR_INDEX_LIST, list);
      List<Integer> indices = new ArrayList<>();
      for (int i = 0; i < kvm_msr_list.nmsrs(list); i++) {
        indices.add(list.get(JAVA_INT, kvm_msr_list.sizeof() + (long) i * Integer.BYTES));
      }
      return indices;
    }
  }

  /** KVM_GET_MSR_INDEX_LIST with room for so many: the errno if the kernel refuses. */
  public Optional<Errno> tryMsrIndexList(int room) {
    try (Arena arena = Arena.ofConfined()) {
      return fd.tryIoctl(Ioctl.KVM_GET_MSR_INDEX_LIST, msrList(arena, room));
    }
  }

  private static MemorySegment msrList(Arena arena, int room) {
    MemorySegment list = arena.allocate(kvm_msr_list.sizeof() + (long) room * Integer.BYTES, 8);
    kvm_msr_list.nmsrs(list, room);
    return list;
  }

  @Override
  public void close() {
    fd.close();
  }
}
