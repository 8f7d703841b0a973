package kvmselftest.kvm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import kvmselftest.bindings.kvm_clock_data;
import kvmselftest.sys.Clock;
import kvmselftest.sys.Errno;
import kvmselftest.sys.IoctlSequence;
import kvmselftest.sys.SyscallException;
import kvmselftest.x86.CounterWindow;
import kvmselftest.x86.Msr;
import org.jspecify.annotations.Nullable;

/**
 * Calls in a row that look at a clock or set it, each between two readings of the host's TSC, with
 * none of the JVM's work in between: first all are listed, then {@link #make} makes them, then each
 * has its result. For the thread that the vCPUs among them belong to; to be made once.
 */
public final class TimedCalls {
  private final Arena arena = Arena.ofAuto();
  private final List<IoctlSequence.Step> steps = new ArrayList<>();
  private final List<@Nullable KvmStep> ioctls = new ArrayList<>();
  private final List<String> names = new ArrayList<>();
  private final List<Long> hostTscs = new ArrayList<>();
  private @Nullable IoctlSequence prepared;

  /**
   * A call that was listed, and once it was made its result.
   *
   * @param <T> of the value that it got
   */
  public final class Timed<T> {
    private final int step = steps.size();
    private final Supplier<T> result;

    private Timed(Supplier<T> result) {
      this.result = result;
    }

    /** The host's TSC just before and just after the call. */
    public CounterWindow hostTsc() {
      return new CounterWindow(hostTscs.get(step), hostTscs.get(step + 1));
    }

    public T value() {
      return result.get();
    }
  }

  /** KVM_GET_CLOCK. */
  public Timed<ClockData> getClock(Vm vm) {
    MemorySegment data = kvm_clock_data.allocate(arena);
    return add("KVM_GET_CLOCK", vm.getClockStep(data), () -> ClockData.from(data));
  }

  /** KVM_SET_CLOCK; the value is what was set. */
  public Timed<ClockData> setClock(Vm vm, ClockData clock) {
    MemorySegment data = kvm_clock_data.allocate(arena);
    clock.to(data);
    return add("KVM_SET_CLOCK to " + clock, vm.setClockStep(data), () -> clock);
  }

  /** KVM_GET_MSRS of one MSR. */
  public Timed<Long> getMsr(Vcpu vcpu, Msr msr) {
    MemorySegment msrs = Vcpu.oneMsr(arena, msr.index(), 0);
    return add(
        "KVM_GET_MSRS of " + msr + " on " + vcpu,
        vcpu.getMsrsStep(msrs),
        () -> Vcpu.msrsData(msrs));
  }

  /** KVM_SET_MSRS of one MSR; the value is what was set. */
  public Timed<Long> setMsr(Vcpu vcpu, Msr msr, long value) {
    MemorySegment msrs = Vcpu.oneMsr(arena, msr.index(), value);
    return add("KVM_SET_MSRS of " + msr + " on " + vcpu, vcpu.setMsrsStep(msrs), () -> value);
  }

  /** KVM_SET_DEVICE_ATTR of KVM_VCPU_TSC_OFFSET; the value is what was set. */
  public Timed<TscOffset> setTscOffset(Vcpu vcpu, TscOffset offset) {
    return add(
        "KVM_SET_DEVICE_ATTR of " + DeviceAttr.TSC_OFFSET + " on " + vcpu,
        vcpu.setTscOffsetStep(Vcpu.tscOffsetAttr(arena, offset)),
        () -> offset);
  }

  /** A clock of the host's, ns. */
  public Timed<Long> read(Clock clock) {
    MemorySegment timespec = arena.allocate(Clock.TIMESPEC_SIZE, Long.BYTES);
    return add(
        "clock_gettime(CLOCK_" + clock + ")",
        new IoctlSequence.ClockStep(clock, timespec),
        () -> Clock.nanosOf(timespec));
  }

  private <T> Timed<T> add(String name, KvmStep step, Supplier<T> result) {
    Timed<T> timed = add(name, step.step(), result);
    ioctls.set(ioctls.size() - 1, step);
    return timed;
  }

  private <T> Timed<T> add(String name, IoctlSequence.Step step, Supplier<T> result) {
    if (prepared != null) {
      throw new IllegalStateException(name + " is listed after prepare(), and would not be made");
    }
    Timed<T> timed = new Timed<>(result);
    names.add(name);
    steps.add(step);
    ioctls.add(null);
    return timed;
  }

  /** Ends the list, and does beforehand most of what {@link #make} does before the first call. */
  public void prepare() {
    prepared = new IoctlSequence(steps);
  }

  /**
   * Makes the calls.
   *
   * @throws SyscallException as one fails; those after it are not made
   */
  public void make() {
    IoctlSequence sequence = prepared == null ? new IoctlSequence(steps) : prepared;
    long last = sequence.call(0);
    KvmStep.trace(ioctls, sequence, 0, last);
    for (int i = 0; i < steps.size(); i++) {
      if (sequence.result(i) < 0) {
        throw new SyscallException(names.get(i), new Errno(-sequence.result(i)));
      }
      hostTscs.add(sequence.tscBefore(i));
    }
    hostTscs.add(last);
  }
}
