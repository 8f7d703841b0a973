package kvmselftest.kvm;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import kvmselftest.bindings.kvm_clock_data;
import kvmselftest.bindings.kvm_device_attr;
import kvmselftest.bindings.kvm_msr_entry;
import kvmselftest.bindings.kvm_msrs;
import kvmselftest.sys.Errno;
import kvmselftest.sys.ProcessMemory;
import kvmselftest.x86.Msr;
import org.jspecify.annotations.Nullable;

/**
 * An ioctl that was made, and what it says of a clock.
 *
 * @param argument what it was given a pointer to; null if it was given a number
 * @param number that number
 * @param result 0 or more, or {@code -errno}
 */
record TracedIoctl(
    Ioctl ioctl,
    int vm,
    int vcpu,
    @Nullable MemorySegment argument,
    long number,
    int result,
    long hostTsc,
    long hostTscAfter,
    boolean exact) {

  /** Tells {@link ClockTrace}, if it is about a clock. */
  void tell() {
    switch (ioctl) {
      case KVM_CREATE_VM, KVM_KVMCLOCK_CTRL -> tell("", Map.of(), false);
      case KVM_CREATE_VCPU -> tell("", Map.of(), true);
      case KVM_SET_TSC_KHZ -> tell("", Map.of("khz", number), false);
      case KVM_GET_TSC_KHZ -> tell("", result < 0 ? Map.of() : Map.of("khz", (long) result), false);
      case KVM_GET_CLOCK, KVM_SET_CLOCK -> tell("", clock(), false);
      case KVM_GET_MSRS, KVM_SET_MSRS -> msrs();
      case KVM_GET_DEVICE_ATTR, KVM_SET_DEVICE_ATTR -> attribute();
      default -> {
        // Of no clock.
      }
    }
  }

  private void tell(String about, Map<String, Long> values, boolean writesTsc) {
    String operation = about.isEmpty() ? ioctl.name() : ioctl.name() + " " + about;
    @Nullable String error = result < 0 ? new Errno(-result).name() : null;
    ClockTrace.add(
        new ClockCall(hostTsc, hostTscAfter, exact, operation, vm, vcpu, values, writesTsc, error));
  }

  private Map<String, Long> clock() {
    MemorySegment given = argument;
    if (given == null || (result < 0 && ioctl == Ioctl.KVM_GET_CLOCK)) {
      return Map.of();
    }
    Map<String, Long> values = new LinkedHashMap<>();
    values.put("ns", kvm_clock_data.clock(given));
    values.put("flags", (long) kvm_clock_data.flags(given));
    values.put("realtime_ns", kvm_clock_data.realtime(given));
    values.put("clock_host_tsc", kvm_clock_data.host_tsc(given));
    return values;
  }

  /** Those that were dealt with, and the first that was not. */
  private void msrs() {
    MemorySegment given = argument;
    if (given == null) {
      return;
    }
    int done = Math.max(result, 0);
    int count = Math.min(kvm_msrs.nmsrs(given), done + 1);
    for (int i = 0; i < count; i++) {
      MemorySegment entry =
          given.asSlice(kvm_msrs.sizeof() + i * kvm_msr_entry.sizeof(), kvm_msr_entry.sizeof());
      boolean refused = i >= done;
      clockMsr(kvm_msr_entry.index(entry))
          .ifPresent(msr -> msr(msr, kvm_msr_entry.data(entry), refused));
    }
  }

  private void msr(Msr msr, long data, boolean refused) {
    boolean write = ioctl == Ioctl.KVM_SET_MSRS;
    boolean isTsc = msr == Msr.IA32_TSC;
    tell(
        msr + (refused ? " refused" : ""),
        Map.of(isTsc ? "tsc" : "data", data),
        isTsc && write && !refused);
  }

  private static Optional<Msr> clockMsr(int index) {
    return Arrays.stream(Msr.values())
        .filter(msr -> msr.index() == index)
        .filter(
            msr ->
                switch (msr) {
                  case IA32_TSC,
                      IA32_TSC_ADJUST,
                      IA32_TSC_DEADLINE,
                      KVM_WALL_CLOCK,
                      KVM_SYSTEM_TIME,
                      KVM_WALL_CLOCK_NEW,
                      KVM_SYSTEM_TIME_NEW ->
                      true;
                  default -> false;
                })
        .findFirst();
  }

  private void attribute() {
    MemorySegment given = argument;
    if (given == null || kvm_device_attr.group(given) != DeviceAttr.TSC_CTRL) {
      return;
    }
    boolean isOffset = kvm_device_attr.attr(given) == DeviceAttr.TSC_OFFSET.attr();
    // Where the kernel got a value from or put one there is memory.
    Map<String, Long> values =
        result == 0 && isOffset
            ? Map.of("offset", ProcessMemory.readLong(kvm_device_attr.addr(given)))
            : Map.of();
    boolean write = ioctl == Ioctl.KVM_SET_DEVICE_ATTR;
    tell(
        isOffset ? "KVM_VCPU_TSC_OFFSET" : "attr " + kvm_device_attr.attr(given),
        values,
        write && isOffset && result == 0);
  }
}
