package kvmselftest.kvm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import kvmselftest.bindings.kvm_clock_data;
import kvmselftest.bindings.kvm_dirty_log;
import kvmselftest.bindings.kvm_h;
import kvmselftest.bindings.kvm_userspace_memory_region;
import kvmselftest.sys.Errno;
import kvmselftest.sys.SyscallException;

/**
 * A virtual machine (api.rst, section 4, "VM ioctls"): its memory, its clock and its vCPUs. Any
 * thread may use it. Closing it stops and closes the vCPUs first, whoever runs them, and is safe at
 * any time and more than once.
 */
public final class Vm implements AutoCloseable {
  /** How long a vCPU may stay in one KVM_RUN unless told otherwise. */
  public static final Duration DEFAULT_RUN_DEADLINE = Duration.ofSeconds(10);

  private final KvmFd fd;
  private final int vcpuMmapSize;
  private final MemorySegment cpuid;
  private final GuestMemory memory;
  private final List<Vcpu> vcpus = new CopyOnWriteArrayList<>();
  private volatile Duration runDeadline = DEFAULT_RUN_DEADLINE;

  Vm(KvmFd fd, int vcpuMmapSize, MemorySegment cpuid, long memorySize) {
    this.fd = fd;
    this.vcpuMmapSize = vcpuMmapSize;
    this.cpuid = cpuid;
    this.memory = newMemory(memorySize);
  }

  private GuestMemory newMemory(long size) {
    GuestMemory made = null;
    try {
      made = new GuestMemory(size);
      setMemslot(made, size, 0);
      return made;
    } catch (RuntimeException e) {
      if (made != null) {
        made.close();
      }
      fd.close();
      throw e;
    }
  }

  private void setMemslot(GuestMemory of, long size, long flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment region = kvm_userspace_memory_region.allocate(arena);
      kvm_userspace_memory_region.flags(region, (int) flags);
      kvm_userspace_memory_region.memory_size(region, size);
      kvm_userspace_memory_region.userspace_addr(region, of.segment().address());
      fd.ioctl(Ioctl.KVM_SET_USER_MEMORY_REGION, region);
    }
  }

  public GuestMemory memory() {
    return memory;
  }

  /**
   * KVM_SET_USER_MEMORY_REGION twice: the memslot is deleted and made again with the same memory,
   * so that KVM has to look up anew what it has mapped of it. No vCPU may be running.
   */
  public void replaceMemslot() {
    setMemslot(memory, 0, 0);
    setMemslot(memory, memory.size(), 0);
  }

  /**
   * KVM_SET_USER_MEMORY_REGION with KVM_MEM_LOG_DIRTY_PAGES: KVM keeps a log of the pages that are
   * written from now on, by the guest or by itself, until the memslot is replaced. What this
   * process writes through {@link #memory()} is not in it.
   */
  public void logDirtyPages() {
    setMemslot(memory, memory.size(), kvm_h.KVM_MEM_LOG_DIRTY_PAGES());
  }

  /**
   * KVM_GET_DIRTY_LOG, which also empties the log.
   *
   * @return the numbers of the pages that were written since it was last empty: GPA / {@link
   *     GuestMemory#PAGE_SIZE}
   * @throws SyscallException ENOENT if there is no log
   */
  public BitSet getDirtyLog() {
    try (Arena arena = Arena.ofConfined()) {
      long words = memory.size() / GuestMemory.PAGE_SIZE / Long.SIZE + 1; // or one too many
      MemorySegment bitmap = arena.allocate(JAVA_LONG, words);
      MemorySegment log = kvm_dirty_log.allocate(arena);
      kvm_dirty_log.dirty_bitmap(log, bitmap);
      fd.ioctl(Ioctl.KVM_GET_DIRTY_LOG, log);
      return BitSet.valueOf(bitmap.asByteBuffer());
    }
  }

  /** How long each KVM_RUN of this VM's vCPUs may take. */
  public Duration runDeadline() {
    return runDeadline;
  }

  /** Sets {@link #runDeadline()}; it holds from the next KVM_RUN on. */
  public void setRunDeadline(Duration deadline) {
    runDeadline = deadline;
  }

  /**
   * KVM_CREATE_VCPU, with all of the CPUID that KVM supports (KVM_SET_CPUID2). The vCPU belongs to
   * the calling thread.
   *
   * @param index from 0; also the vCPU's APIC ID
   * @throws SyscallException EEXIST if there is a vCPU with this index; or as an ioctl fails
   */
  public Vcpu createVcpu(int index) {
    String name = "vCPU " + index;
    Vcpu vcpu =
        new Vcpu(this, index, fd.ioctlFd(Ioctl.KVM_CREATE_VCPU, index, name), vcpuMmapSize, cpuid);
    vcpus.add(vcpu);
    if (fd.isClosed()) { // closed while the vCPU was made: it may have missed this one
      vcpu.close();
    }
    return vcpu;
  }

  /** KVM_CREATE_IRQCHIP: local APICs for the vCPUs to come, in the kernel. */
  public void createIrqchip() {
    fd.ioctl(Ioctl.KVM_CREATE_IRQCHIP, 0);
  }

  /** KVM_GET_TSC_KHZ of the VM: the rate of the TSC of vCPUs to come. */
  public int getTscKhz() {
    return fd.ioctl(Ioctl.KVM_GET_TSC_KHZ, 0);
  }

  /** KVM_GET_TSC_KHZ of the VM, the rate dropped: the errno if the kernel refuses. */
  public Optional<Errno> tryGetTscKhz() {
    return fd.tryIoctl(Ioctl.KVM_GET_TSC_KHZ, 0);
  }

  /**
   * KVM_SET_TSC_KHZ of the VM: the errno if the kernel refuses.
   *
   * @param khz 0 for the host's rate
   */
  public Optional<Errno> trySetTscKhz(long khz) {
    return fd.tryIoctl(Ioctl.KVM_SET_TSC_KHZ, khz);
  }

  /** What {@link #createVcpu} gives to KVM_SET_CPUID2. */
  MemorySegment cpuid() {
    return cpuid;
  }

  void forget(Vcpu vcpu) {
    vcpus.remove(vcpu);
  }

  /** KVM_GET_CLOCK. */
  public ClockData getClock() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = kvm_clock_data.allocate(arena);
      fd.ioctl(Ioctl.KVM_GET_CLOCK, data);
      return ClockData.from(data);
    }
  }

  /**
   * KVM_GET_CLOCK into a structure of which every bit is set.
   *
   * @return the structure's bytes afterwards, which {@link ClockData#ofBytes} takes
   */
  public byte[] getClockOverOnes() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = kvm_clock_data.allocate(arena).fill((byte) 0xff);
      fd.ioctl(Ioctl.KVM_GET_CLOCK, data);
      return data.toArray(JAVA_BYTE);
    }
  }

  /** KVM_GET_CLOCK as one ioctl of several in a row. */
  KvmStep getClockStep(MemorySegment data) {
    return fd.step(Ioctl.KVM_GET_CLOCK, data);
  }

  /** KVM_SET_CLOCK as one ioctl of several in a row. */
  KvmStep setClockStep(MemorySegment data) {
    return fd.step(Ioctl.KVM_SET_CLOCK, data);
  }

  /**
   * KVM_SET_CLOCK.
   *
   * @throws SyscallException EINVAL for a flag that KVM does not know
   */
  public void setClock(ClockData clock) {
    trySetClock(clock)
        .ifPresent(
            errno -> {
              throw new SyscallException("KVM_SET_CLOCK to " + clock, errno);
            });
  }

  /** KVM_SET_CLOCK: the errno if the kernel refuses. */
  public Optional<Errno> trySetClock(ClockData clock) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = kvm_clock_data.allocate(arena);
      clock.to(data);
      return fd.tryIoctl(Ioctl.KVM_SET_CLOCK, data);
    }
  }

  /**
   * KVM_GET_CLOCK with any address.
   *
   * @param address where the kernel is to write, an address of this process or a bad one
   * @return the errno if the kernel refuses
   */
  public Optional<Errno> tryGetClock(long address) {
    return fd.tryIoctl(Ioctl.KVM_GET_CLOCK, address);
  }

  /** KVM_SET_CLOCK with any address, otherwise as {@link #tryGetClock}. */
  public Optional<Errno> trySetClock(long address) {
    return fd.tryIoctl(Ioctl.KVM_SET_CLOCK, address);
  }

  /** KVM_SET_CLOCK with every bit set that has no meaning: the errno if the kernel refuses. */
  public Optional<Errno> trySetClockWithPadding(ClockData clock) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = kvm_clock_data.allocate(arena).fill((byte) 0xff);
      clock.to(data);
      return fd.tryIoctl(Ioctl.KVM_SET_CLOCK, data);
    }
  }

  /** KVM_CHECK_EXTENSION of the VM: 0 if the capability is missing, otherwise what it answers. */
  public int checkExtension(Capability capability) {
    return fd.ioctl(Ioctl.KVM_CHECK_EXTENSION, capability.number());
  }

  @Override
  public void close() {
    vcpus.forEach(Vcpu::close);
    fd.close();
    // Again for a vCPU that came just before the VM's file was closed; a later one closes itself.
    vcpus.forEach(Vcpu::close);
    memory.close();
  }
}
