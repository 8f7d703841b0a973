package kvmselftest.kvm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import kvmselftest.bindings.kvm_clock_data;
import kvmselftest.bindings.kvm_h;

/**
 * {@code struct kvm_clock_data}, what KVM_GET_CLOCK returns and KVM_SET_CLOCK takes
 * (Documentation/virt/kvm/api.rst, 4.29 and 4.30).
 *
 * @param clock kvmclock, ns, unsigned
 * @param flags {@link #TSC_STABLE}, {@link #REALTIME}, {@link #HOST_TSC}
 * @param realtime the host's CLOCK_REALTIME at the same moment, ns; valid with {@link #REALTIME}
 * @param hostTsc the host's TSC at the same moment, ticks; valid with {@link #HOST_TSC}
 */
public record ClockData(long clock, int flags, long realtime, long hostTsc) {
  /** KVM_CLOCK_TSC_STABLE: kvmclock is derived from the TSC alike on all vCPUs (master clock). */
  public static final int TSC_STABLE = kvm_h.KVM_CLOCK_TSC_STABLE();

  /** KVM_CLOCK_REALTIME: realtime is valid; for KVM_SET_CLOCK: add the time since then. */
  public static final int REALTIME = kvm_h.KVM_CLOCK_REALTIME();

  /** KVM_CLOCK_HOST_TSC: hostTsc is valid. */
  public static final int HOST_TSC = kvm_h.KVM_CLOCK_HOST_TSC();

  /** Every flag that is defined. */
  public static final int ALL_FLAGS = TSC_STABLE | REALTIME | HOST_TSC;

  /** To set kvmclock to a value as it is. */
  public static ClockData ofClock(long clock) {
    return new ClockData(clock, 0, 0, 0);
  }

  /**
   * The same with KVM_CLOCK_REALTIME: kvmclock had this value at that wall-clock time, and KVM is
   * to add what has passed since then.
   */
  public ClockData atRealtime(long nanos) {
    return new ClockData(clock, flags | REALTIME, nanos, hostTsc);
  }

  public ClockData withFlags(int newFlags) {
    return new ClockData(clock, newFlags, realtime, hostTsc);
  }

  /** True if all of the given flags are set. */
  public boolean has(int wanted) {
    return (flags & wanted) == wanted;
  }

  /** The flags by name, such as {@code KVM_CLOCK_REALTIME|0x10}. */
  public static String flagNames(int flags) {
    List<String> names = new ArrayList<>();
    if ((flags & TSC_STABLE) != 0) {
      names.add("KVM_CLOCK_TSC_STABLE");
    }
    if ((flags & REALTIME) != 0) {
      names.add("KVM_CLOCK_REALTIME");
    }
    if ((flags & HOST_TSC) != 0) {
      names.add("KVM_CLOCK_HOST_TSC");
    }
    int unknown = flags & ~ALL_FLAGS;
    if (unknown != 0 || names.isEmpty()) {
      names.add("0x" + Integer.toHexString(unknown));
    }
    return String.join("|", names);
  }

  /** What the structure says whose bytes these are, its padding aside. */
  public static ClockData ofBytes(byte[] structure) {
    try (Arena arena = Arena.ofConfined()) {
      return from(kvm_clock_data.allocate(arena).copyFrom(MemorySegment.ofArray(structure)));
    }
  }

  /** The structure's bytes; its padding is 0. */
  public byte[] toBytes() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = kvm_clock_data.allocate(arena);
      to(data);
      return data.toArray(JAVA_BYTE);
    }
  }

  static ClockData from(MemorySegment data) {
    return new ClockData(
        kvm_clock_data.clock(data),
        kvm_clock_data.flags(data),
        kvm_clock_data.realtime(data),
        kvm_clock_data.host_tsc(data));
  }

  void to(MemorySegment data) {
    kvm_clock_data.clock(data, clock);
    kvm_clock_data.flags(data, flags);
    kvm_clock_data.realtime(data, realtime);
    kvm_clock_data.host_tsc(data, hostTsc);
  }

  @Override
  public String toString() {
    return "clock %s ns, flags %s, realtime %s ns, host TSC %s"
        .formatted(
            Long.toUnsignedString(clock),
            flagNames(flags),
            Long.toUnsignedString(realtime),
            Long.toUnsignedString(hostTsc));
  }
}
