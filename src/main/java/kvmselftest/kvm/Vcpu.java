package kvmselftest.kvm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import kvmselftest.bindings.kvm_clock_data;
import kvmselftest.bindings.kvm_enable_cap;
import kvmselftest.bindings.kvm_lapic_state;
import kvmselftest.bindings.kvm_mp_state;
import kvmselftest.bindings.kvm_msr_entry;
import kvmselftest.bindings.kvm_msrs;
import kvmselftest.bindings.kvm_regs;
import kvmselftest.bindings.kvm_sregs;
import kvmselftest.sys.Errno;
import kvmselftest.sys.NativeThread;
import kvmselftest.sys.SyscallException;
import kvmselftest.x86.CounterWindow;
import kvmselftest.x86.LongMode;
import kvmselftest.x86.Msr;
import org.jspecify.annotations.Nullable;

/**
 * A virtual CPU (api.rst, section 4, "vCPU ioctls"). It belongs to the thread that created it: its
 * ioctls are for that thread alone, as KVM asks. Only {@link #close()} is for any thread, at any
 * time and more than once; a KVM_RUN under way is then ended first.
 */
public final class Vcpu implements AutoCloseable {
  static final long NOT_RUNNING = 0;

  private final Vm vm;
  private final int index;
  private final KvmFd fd;
  private final KvmRun run;
  private final Thread owner = Thread.currentThread();
  private final NativeThread nativeOwner = NativeThread.current();

  /** For KVM_GET_REGS and KVM_SET_REGS; the owner's alone. */
  private final MemorySegment regs = Arena.ofAuto().allocate(kvm_regs.layout());

  // Made when first used, and kept: what is done shortly before a bracket makes it wider, since it
  // drives the kernel's part out of the CPU's caches.
  private final MemorySegment clockBefore = Arena.ofAuto().allocate(kvm_clock_data.layout());
  private final MemorySegment clockAfter = Arena.ofAuto().allocate(kvm_clock_data.layout());
  private @Nullable BracketedRun hostTscBracket;
  private @Nullable BracketedRun clockBracket;

  /** Runs begun so far; written by the owner. */
  private long runs;

  /** The number of the run under way, from 1, or {@link #NOT_RUNNING}. */
  private volatile long currentRun;

  /** The number of the run that is to end at once. */
  private volatile long stoppedRun;

  private boolean closed;

  Vcpu(Vm vm, int index, KvmFd fd, int mmapSize, MemorySegment cpuid) {
    this.vm = vm;
    this.index = index;
    this.fd = fd;
    this.run = map(fd, mmapSize, cpuid);
    RunDeadline.add(this);
  }

  private static KvmRun map(KvmFd fd, int mmapSize, MemorySegment cpuid) {
    try {
      fd.ioctl(Ioctl.KVM_SET_CPUID2, cpuid);
      return new KvmRun(fd.map(mmapSize));
    } catch (RuntimeException e) {
      fd.close();
      throw e;
    }
  }

  public Vm vm() {
    return vm;
  }

  public int index() {
    return index;
  }

  /**
   * KVM_SET_CPUID2 again, with all of the CPUID that KVM supports but this feature. For a vCPU that
   * has not run yet: afterwards many kernels take no other CPUID.
   *
   * @throws SyscallException as the ioctl fails
   */
  public void hide(CpuidFeature feature) {
    requireOwner();
    fd.ioctl(Ioctl.KVM_SET_CPUID2, Cpuid.without(vm.cpuid(), feature));
  }

  /**
   * KVM_ENABLE_CAP of KVM_CAP_ENFORCE_PV_FEATURE_CPUID: KVM keeps its own features from a guest
   * whose CPUID does not tell of them (api.rst, "KVM_CAP_ENFORCE_PV_FEATURE_CPUID").
   */
  public void enforcePvFeatureCpuid() {
    requireOwner();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment cap = kvm_enable_cap.allocate(arena);
      kvm_enable_cap.cap(cap, Capability.KVM_CAP_ENFORCE_PV_FEATURE_CPUID.number());
      kvm_enable_cap.args(cap, 0, 1);
      fd.ioctl(Ioctl.KVM_ENABLE_CAP, cap);
    }
  }

  /** The page shared with KVM: what the last {@link #run()} ended with. */
  public KvmRun kvmRun() {
    return run;
  }

  /**
   * KVM_RUN, until the guest exits; EINTR is retried.
   *
   * @throws RunDeadlineException if that takes longer than the VM's deadline
   * @throws IllegalStateException if this is closed, before or during the call
   * @throws SyscallException as KVM_RUN fails otherwise
   */
  public void run() {
    run(null);
  }

  /**
   * As {@link #run()}.
   *
   * @return the host's TSC, read by the instructions before and after the system call, so that no
   *     work of the JVM's lies in between
   */
  public CounterWindow runBetweenHostTscs() {
    requireOwner();
    if (hostTscBracket == null) {
      hostTscBracket = new BracketedRun(List.of(), runStep(), List.of());
    }
    hostTscBracket.begin();
    run(hostTscBracket);
    return new CounterWindow(hostTscBracket.tscBefore(), hostTscBracket.tscAfter());
  }

  /** As {@link #run()}, with KVM_GET_CLOCK just before and just after. */
  public ClockBracket runBetweenGetClocks() {
    requireOwner();
    if (clockBracket == null) {
      clockBracket =
          new BracketedRun(
              List.of(vm.getClockStep(clockBefore)),
              runStep(),
              List.of(vm.getClockStep(clockAfter)));
    }
    clockBracket.begin();
    run(clockBracket);
    return new ClockBracket(ClockData.from(clockBefore), ClockData.from(clockAfter));
  }

  private KvmStep runStep() {
    return fd.step(Ioctl.KVM_RUN, MemorySegment.NULL);
  }

  private void run(@Nullable BracketedRun bracketed) {
    requireOwner();
    long number = ++runs;
    currentRun = number;
    int result = runToExit(number, bracketed);
    currentRun = NOT_RUNNING;
    if (result < 0) {
      throw notRun(-result, number);
    }
  }

  private int runToExit(long number, @Nullable BracketedRun bracketed) {
    while (true) {
      int result = bracketed == null ? fd.ioctlOnce(Ioctl.KVM_RUN, 0) : bracketed.attempt();
      if (result != -Errno.EINTR.number() || stoppedRun == number || fd.isClosed()) {
        return result;
      }
      run.immediateExit(false); // a stop of an earlier run that came too late for it
    }
  }

  private RuntimeException notRun(int errno, long number) {
    if (errno != Errno.EINTR.number()) {
      return new SyscallException("KVM_RUN on " + this, new Errno(errno));
    }
    if (fd.isClosed()) {
      return new IllegalStateException(this + " was closed during KVM_RUN");
    }
    run.immediateExit(false);
    return new RunDeadlineException(
        "%s did not leave KVM_RUN within %d ms (run %d) and was stopped; %s"
            .formatted(this, vm.runDeadline().toMillis(), number, describeRegisters()));
  }

  /**
   * Lets KVM finish the port I/O with which the last run ended, without running the guest. Until
   * then a register that is written may be overwritten by it (api.rst, section 5, KVM_EXIT_IO).
   *
   * @throws SyscallException if KVM_RUN ends otherwise than with EINTR
   */
  public void completeIo() {
    requireOwner();
    run.immediateExit(true);
    int result = fd.ioctlOnce(Ioctl.KVM_RUN, 0);
    run.immediateExit(false);
    if (result != -Errno.EINTR.number()) {
      throw new IllegalStateException(
          "KVM_RUN with immediate_exit on %s returned %s instead of EINTR"
              .formatted(this, result < 0 ? new Errno(-result) : run.exitReasonName()));
    }
  }

  long currentRun() {
    return currentRun;
  }

  /** Makes the numbered run end with EINTR; may have to be repeated. Any thread. */
  void stopRun(long number) {
    stoppedRun = number;
    kick();
  }

  private void kick() {
    run.immediateExit(true);
    nativeOwner.interruptSystemCall();
  }

  /** KVM_SET_SREGS: 64-bit long mode. */
  public void enterLongMode(LongMode longMode) {
    requireOwner();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment sregs = kvm_sregs.allocate(arena);
      fd.ioctl(Ioctl.KVM_GET_SREGS, sregs);
      Sregs.enter(longMode, sregs);
      fd.ioctl(Ioctl.KVM_SET_SREGS, sregs);
    }
  }

  /** KVM_GET_REGS. */
  public Regs getRegs() {
    requireOwner();
    fd.ioctl(Ioctl.KVM_GET_REGS, regs);
    return Regs.from(regs);
  }

  /** RDI, by KVM_GET_REGS: all that a ucall needs, without a record of the 18 registers. */
  public long getRdi() {
    requireOwner();
    fd.ioctl(Ioctl.KVM_GET_REGS, regs.address()); // an address is passed faster than a segment
    return kvm_regs.rdi(regs);
  }

  /** KVM_SET_REGS. */
  public void setRegs(Regs to) {
    requireOwner();
    to.to(regs);
    fd.ioctl(Ioctl.KVM_SET_REGS, regs);
  }

  /**
   * KVM_GET_SREGS, a {@code struct kvm_sregs} as it is.
   *
   * @return for {@link #setSregs}, here or on another host
   */
  public MemorySegment getSregs() {
    requireOwner();
    MemorySegment sregs = Arena.ofAuto().allocate(kvm_sregs.layout());
    fd.ioctl(Ioctl.KVM_GET_SREGS, sregs);
    return sregs;
  }

  /** KVM_SET_SREGS. */
  public void setSregs(MemorySegment sregs) {
    requireOwner();
    fd.ioctl(Ioctl.KVM_SET_SREGS, sregs);
  }

  /** All registers in one line, for the message of a failure; never throws for a lack of them. */
  public String describeRegisters() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment sregs = kvm_sregs.allocate(arena);
      fd.ioctl(Ioctl.KVM_GET_SREGS, sregs);
      return getRegs() + " " + Sregs.describe(sregs);
    } catch (SyscallException e) {
      return "registers unknown: " + e.getMessage();
    }
  }

  /**
   * KVM_GET_MSRS of one MSR.
   *
   * @throws IllegalStateException if KVM does not know the MSR
   */
  public long getMsr(Msr msr) {
    requireOwner();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment msrs = oneMsr(arena, msr, 0);
      requireOne(fd.ioctl(Ioctl.KVM_GET_MSRS, msrs), Ioctl.KVM_GET_MSRS, msr);
      return kvm_msr_entry.data(entry(msrs));
    }
  }

  /**
   * KVM_SET_MSRS of one MSR.
   *
   * @throws IllegalStateException if KVM does not know the MSR or refuses the value
   */
  public void setMsr(Msr msr, long value) {
    requireOwner();
    try (Arena arena = Arena.ofConfined()) {
      requireOne(fd.ioctl(Ioctl.KVM_SET_MSRS, oneMsr(arena, msr, value)), Ioctl.KVM_SET_MSRS, msr);
    }
  }

  private static MemorySegment oneMsr(Arena arena, Msr msr, long value) {
    return oneMsr(arena, msr.index(), value);
  }

  /** A {@code struct kvm_msrs} of one entry. */
  static MemorySegment oneMsr(Arena arena, int index, long value) {
    MemorySegment msrs = arena.allocate(kvm_msrs.sizeof() + kvm_msr_entry.sizeof(), 8);
    kvm_msrs.nmsrs(msrs, 1);
    kvm_msr_entry.index(entry(msrs), index);
    kvm_msr_entry.data(entry(msrs), value);
    return msrs;
  }

  /** The value in a {@code struct kvm_msrs} of one entry. */
  static long msrsData(MemorySegment msrs) {
    return kvm_msr_entry.data(entry(msrs));
  }

  /** The flexible array behind the header, which the generated layout leaves out. */
  private static MemorySegment entry(MemorySegment msrs) {
    return msrs.asSlice(kvm_msrs.sizeof());
  }

  /** Both ioctls return how many MSRs they have dealt with. */
  private void requireOne(int done, Ioctl ioctl, Msr msr) {
    if (done != 1) {
      throw new IllegalStateException("%s of %s on %s: refused".formatted(ioctl, msr, this));
    }
  }

  /** KVM_GET_MSRS of one MSR as one ioctl of several in a row; {@link #msrsData} has the value. */
  KvmStep getMsrsStep(MemorySegment msrs) {
    requireOwner();
    return fd.step(Ioctl.KVM_GET_MSRS, msrs);
  }

  /** KVM_SET_MSRS of one MSR as one ioctl of several in a row. */
  KvmStep setMsrsStep(MemorySegment msrs) {
    requireOwner();
    return fd.step(Ioctl.KVM_SET_MSRS, msrs);
  }

  /** KVM_SET_DEVICE_ATTR of KVM_VCPU_TSC_OFFSET as one ioctl of several in a row. */
  KvmStep setTscOffsetStep(MemorySegment attr) {
    requireOwner();
    return fd.step(Ioctl.KVM_SET_DEVICE_ATTR, attr);
  }

  /** A {@code struct kvm_device_attr} for KVM_VCPU_TSC_OFFSET, with a value to set. */
  static MemorySegment tscOffsetAttr(Arena arena, TscOffset offset) {
    MemorySegment value = arena.allocateFrom(JAVA_LONG, offset.ticks());
    return DeviceAttr.TSC_OFFSET.allocate(arena, value.address());
  }

  /** KVM_SET_MSRS of one MSR with an index of one's own: false if KVM refuses. */
  public boolean trySetMsr(int index, long value) {
    requireOwner();
    try (Arena arena = Arena.ofConfined()) {
      return fd.ioctl(Ioctl.KVM_SET_MSRS, oneMsr(arena, index, value)) == 1;
    }
  }

  /**
   * KVM_GET_MSRS of several MSRs, by their indices.
   *
   * @return the values of those before the first that KVM does not know
   * @throws SyscallException E2BIG for 256 or more
   */
  public List<Long> getMsrs(int... indices) {
    requireOwner();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment msrs = someMsrs(arena, indices, new long[indices.length]);
      int done = fd.ioctl(Ioctl.KVM_GET_MSRS, msrs);
      List<Long> values = new ArrayList<>();
      for (int i = 0; i < done; i++) {
        values.add(kvm_msr_entry.data(entry(msrs, i)));
      }
      return values;
    }
  }

  /**
   * KVM_SET_MSRS of several MSRs, by their indices.
   *
   * @return how many, of the first ones, KVM has written
   * @throws SyscallException E2BIG for 256 or more
   */
  public int setMsrs(int[] indices, long[] values) {
    requireOwner();
    try (Arena arena = Arena.ofConfined()) {
      return fd.ioctl(Ioctl.KVM_SET_MSRS, someMsrs(arena, indices, values));
    }
  }

  private static MemorySegment someMsrs(Arena arena, int[] indices, long[] values) {
    MemorySegment msrs =
        arena.allocate(kvm_msrs.sizeof() + indices.length * kvm_msr_entry.sizeof(), 8);
    kvm_msrs.nmsrs(msrs, indices.length);
    for (int i = 0; i < indices.length; i++) {
      kvm_msr_entry.index(entry(msrs, i), indices[i]);
      kvm_msr_entry.data(entry(msrs, i), values[i]);
    }
    return msrs;
  }

  private static MemorySegment entry(MemorySegment msrs, int number) {
    return entry(msrs).asSlice(number * kvm_msr_entry.sizeof());
  }

  /**
   * KVM_SET_MP_STATE: ready to run. With local APICs in the kernel, every vCPU but the first waits
   * for a start-up IPI otherwise.
   */
  public void setRunnable() {
    requireOwner();
    try (Arena arena = Arena.ofConfined()) {
      fd.ioctl(Ioctl.KVM_SET_MP_STATE, kvm_mp_state.allocate(arena)); // 0: KVM_MP_STATE_RUNNABLE
    }
  }

  /**
   * KVM_GET_LAPIC: the registers of the local APIC, which have no part in IA32_TSC_DEADLINE.
   *
   * @return for {@link #setLapic}
   */
  public MemorySegment getLapic() {
    requireOwner();
    MemorySegment registers = Arena.ofAuto().allocate(kvm_lapic_state.layout());
    fd.ioctl(Ioctl.KVM_GET_LAPIC, registers);
    return registers;
  }

  /** KVM_SET_LAPIC. */
  public void setLapic(MemorySegment registers) {
    requireOwner();
    fd.ioctl(Ioctl.KVM_SET_LAPIC, registers);
  }

  /** KVM_GET_TSC_KHZ: the guest TSC's rate. */
  public int getTscKhz() {
    requireOwner();
    return fd.ioctl(Ioctl.KVM_GET_TSC_KHZ, 0);
  }

  /**
   * KVM_SET_TSC_KHZ: the errno if the kernel refuses.
   *
   * @param khz 0 for the host's rate
   */
  public Optional<Errno> trySetTscKhz(long khz) {
    requireOwner();
    return fd.tryIoctl(Ioctl.KVM_SET_TSC_KHZ, khz);
  }

  /**
   * KVM_KVMCLOCK_CTRL: tells the guest by its pvclock page that it was stopped. The errno if the
   * kernel refuses: EINVAL if the vCPU has no pvclock page.
   */
  public Optional<Errno> tryKvmclockCtrl() {
    requireOwner();
    return fd.tryIoctl(Ioctl.KVM_KVMCLOCK_CTRL, 0);
  }

  /** KVM_HAS_DEVICE_ATTR: the errno if the kernel does not have the attribute. */
  public Optional<Errno> tryHasDeviceAttr(DeviceAttr attr) {
    return tryDeviceAttr(Ioctl.KVM_HAS_DEVICE_ATTR, attr, 0);
  }

  /**
   * KVM_GET_DEVICE_ATTR with any address.
   *
   * @param address where the kernel is to write, an address of this process or a bad one
   * @return the errno if the kernel refuses
   */
  public Optional<Errno> tryGetDeviceAttr(DeviceAttr attr, long address) {
    return tryDeviceAttr(Ioctl.KVM_GET_DEVICE_ATTR, attr, address);
  }

  /** KVM_SET_DEVICE_ATTR with any address, otherwise as {@link #tryGetDeviceAttr}. */
  public Optional<Errno> trySetDeviceAttr(DeviceAttr attr, long address) {
    return tryDeviceAttr(Ioctl.KVM_SET_DEVICE_ATTR, attr, address);
  }

  private Optional<Errno> tryDeviceAttr(Ioctl ioctl, DeviceAttr attr, long address) {
    requireOwner();
    try (Arena arena = Arena.ofConfined()) {
      return fd.tryIoctl(ioctl, attr.allocate(arena, address));
    }
  }

  /**
   * KVM_HAS_DEVICE_ATTR with its own argument at any address.
   *
   * @param argument where the kernel is to find the {@code struct kvm_device_attr}, an address of
   *     this process or a bad one
   * @return the errno if the kernel refuses
   */
  public Optional<Errno> tryHasDeviceAttrAt(long argument) {
    requireOwner();
    return fd.tryIoctl(Ioctl.KVM_HAS_DEVICE_ATTR, argument);
  }

  /** KVM_GET_DEVICE_ATTR, otherwise as {@link #tryHasDeviceAttrAt}. */
  public Optional<Errno> tryGetDeviceAttrAt(long argument) {
    requireOwner();
    return fd.tryIoctl(Ioctl.KVM_GET_DEVICE_ATTR, argument);
  }

  /** KVM_SET_DEVICE_ATTR, otherwise as {@link #tryHasDeviceAttrAt}. */
  public Optional<Errno> trySetDeviceAttrAt(long argument) {
    requireOwner();
    return fd.tryIoctl(Ioctl.KVM_SET_DEVICE_ATTR, argument);
  }

  /** KVM_GET_DEVICE_ATTR to a good address, the value dropped: the errno if the kernel refuses. */
  public Optional<Errno> tryGetDeviceAttr(DeviceAttr attr) {
    try (Arena arena = Arena.ofConfined()) {
      return tryGetDeviceAttr(attr, arena.allocate(JAVA_LONG).address());
    }
  }

  /** KVM_SET_DEVICE_ATTR from a good address: the errno if the kernel refuses. */
  public Optional<Errno> trySetDeviceAttrTo(DeviceAttr attr, long value) {
    try (Arena arena = Arena.ofConfined()) {
      return trySetDeviceAttr(attr, arena.allocateFrom(JAVA_LONG, value).address());
    }
  }

  /**
   * KVM_GET_DEVICE_ATTR of KVM_VCPU_TSC_OFFSET (vcpu.rst, section 4.1).
   *
   * @throws SyscallException as the ioctl fails
   */
  public TscOffset getTscOffset() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocate(JAVA_LONG);
      require(Ioctl.KVM_GET_DEVICE_ATTR, tryGetDeviceAttr(DeviceAttr.TSC_OFFSET, value.address()));
      return new TscOffset(value.get(JAVA_LONG, 0));
    }
  }

  /**
   * KVM_SET_DEVICE_ATTR of KVM_VCPU_TSC_OFFSET (vcpu.rst, section 4.1).
   *
   * @throws SyscallException as the ioctl fails
   */
  public void setTscOffset(TscOffset offset) {
    require(Ioctl.KVM_SET_DEVICE_ATTR, trySetDeviceAttrTo(DeviceAttr.TSC_OFFSET, offset.ticks()));
  }

  private void require(Ioctl ioctl, Optional<Errno> refusal) {
    refusal.ifPresent(
        errno -> {
          throw new SyscallException(
              "%s of %s on %s".formatted(ioctl, DeviceAttr.TSC_OFFSET, this), errno);
        });
  }

  private void requireOwner() {
    if (Thread.currentThread() != owner) {
      throw new WrongThreadException(
          "%s belongs to thread %s, not %s"
              .formatted(this, owner.getName(), Thread.currentThread().getName()));
    }
  }

  /** A second caller waits for the first, so that whoever returns finds the vCPU closed. */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    fd.close(this::kick);
    RunDeadline.remove(this);
    run.close();
    vm.forget(this);
  }

  @Override
  public String toString() {
    return "vCPU " + index;
  }
}
