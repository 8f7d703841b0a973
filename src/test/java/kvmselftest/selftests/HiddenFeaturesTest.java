package kvmselftest.selftests;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import java.util.Arrays;
import java.util.stream.Stream;
import kvmselftest.Requires;
import kvmselftest.guest.ClockGuest;
import kvmselftest.guest.GuestFailedException;
import kvmselftest.kvm.CpuidFeature;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Requirement;
import kvmselftest.kvm.Vcpu;
import kvmselftest.x86.Msr;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A VMM hides kvmclock from its guest: CPUID does not tell of it. KVM keeps the guest from it only
 * if the VMM asks for that, too (KVM_CAP_ENFORCE_PV_FEATURE_CPUID), and then by each of the two
 * features: the older MSRs go with one, the newer with the other.
 *
 * <p>Upstream's kvm_pv_test.c reads and writes MSRs of hidden features in the guest, of which it
 * hides all at once.
 */
@Tag("selftest")
@Requires({Requirement.KVM, Requirement.ENFORCED_PV_FEATURES})
class HiddenFeaturesTest {
  /** What stands where KVM would write a page or a wall clock; none is like it. */
  private static final byte[] UNTOUCHED = "nothing has been written up here".getBytes(US_ASCII);

  /** In MSR_KVM_SYSTEM_TIME beside the address. */
  private static final long ENABLED = 1;

  private final Kvm kvm = Kvm.open();
  private final ClockGuest guest = ClockGuest.load(kvm);

  @BeforeEach
  void fill() {
    guest.vm().memory().write(ClockGuest.SPARE_PAGE, UNTOUCHED);
  }

  @AfterEach
  void close() {
    guest.close();
    kvm.close();
  }

  static Stream<Arguments> msrs() {
    return Stream.of(
        msr(Msr.KVM_SYSTEM_TIME, CpuidFeature.KVM_FEATURE_CLOCKSOURCE, Msr.KVM_SYSTEM_TIME_NEW),
        msr(Msr.KVM_WALL_CLOCK, CpuidFeature.KVM_FEATURE_CLOCKSOURCE, Msr.KVM_WALL_CLOCK_NEW),
        msr(Msr.KVM_SYSTEM_TIME_NEW, CpuidFeature.KVM_FEATURE_CLOCKSOURCE2, Msr.KVM_SYSTEM_TIME),
        msr(Msr.KVM_WALL_CLOCK_NEW, CpuidFeature.KVM_FEATURE_CLOCKSOURCE2, Msr.KVM_WALL_CLOCK));
  }

  private static Arguments msr(Msr msr, CpuidFeature feature, Msr other) {
    return argumentSet("%s without %s".formatted(msr, feature), msr, feature, other);
  }

  @ParameterizedTest
  @MethodSource("msrs")
  void msrOfHiddenKvmclockIsRefused(Msr hidden, CpuidFeature feature, Msr shown) {
    Refusal.assumeThatMsrsAreRefused();
    Vcpu first = guest.createVcpu(0);
    first.hide(feature);
    first.enforcePvFeatureCpuid();
    assertFalse(
        first.trySetMsr(hidden.index(), value(hidden)),
        () -> "KVM_SET_MSRS of " + hidden + " is to be refused");
    assertFaults(() -> guest.writeMsr(first, hidden, value(hidden)), "WRMSR of " + hidden);
    assertFalse(isWritten(), "KVM has written where the refused address is");

    Vcpu second = guest.createVcpu(1);
    second.enforcePvFeatureCpuid(); // in the other order: each of the two calls has to take effect
    second.hide(feature);
    assertFaults(() -> guest.readMsr(second, hidden), "RDMSR of " + hidden);

    Vcpu third = guest.createVcpu(2);
    third.hide(feature);
    third.enforcePvFeatureCpuid();
    assertServes(third, shown);
  }

  private static void assertFaults(Executable access, String what) {
    GuestFailedException failed =
        assertThrows(GuestFailedException.class, access, () -> what + " is to be #GP");
    assertTrue(
        String.valueOf(failed.getMessage()).contains("exception #GP"),
        () -> what + " is to be #GP: " + failed.getMessage());
  }

  @ParameterizedTest
  @MethodSource("msrs")
  void msrOfHiddenKvmclockServesUnlessThatIsEnforced(Msr hidden, CpuidFeature feature) {
    Vcpu vcpu = guest.createVcpu(0);
    vcpu.hide(feature);

    assertServes(vcpu, hidden);
  }

  private void assertServes(Vcpu vcpu, Msr msr) {
    guest.writeMsr(vcpu, msr, value(msr));

    assertTrue(isWritten(), () -> "KVM has written nothing after WRMSR of " + msr);
    assertEquals(
        value(msr),
        guest.readMsr(vcpu, msr).value(),
        () -> "RDMSR of " + msr + " that was written");
    assertEquals(value(msr), vcpu.getMsr(msr), () -> "KVM_GET_MSRS of " + msr);
  }

  private static long value(Msr msr) {
    boolean hasEnableBit = msr == Msr.KVM_SYSTEM_TIME || msr == Msr.KVM_SYSTEM_TIME_NEW;
    return ClockGuest.SPARE_PAGE + (hasEnableBit ? ENABLED : 0);
  }

  private boolean isWritten() {
    return !Arrays.equals(
        UNTOUCHED, guest.vm().memory().read(ClockGuest.SPARE_PAGE, UNTOUCHED.length));
  }
}
