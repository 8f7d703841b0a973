package kvmselftest.selftests;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import java.util.stream.Stream;
import kvmselftest.Requires;
import kvmselftest.guest.ClockGuest;
import kvmselftest.guest.RunningClocks;
import kvmselftest.guest.VcpuThread;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Requirement;
import kvmselftest.kvm.TscOffset;
import kvmselftest.x86.ErrorBounds;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The clocks of a vCPU that runs, watched by the host through a shared page while it runs: nothing
 * but a cache line's trip lies between one side's reading and the other's, so that an offset of the
 * hardware's that is wrong by some 10 ns shows, which a bracket around KVM_RUN hides.
 */
@Tag("selftest")
@Requires({Requirement.KVM, Requirement.TSC_OFFSET, Requirement.PARALLEL_CPUS})
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RunningVcpuTest {
  /** How long each comparison takes, TSC ticks: some 10 ms. */
  private static final long TICKS = 30_000_000;

  private final Kvm kvm = Kvm.open();
  private final ClockGuest guest = ClockGuest.load(kvm);
  private final RunningClocks clocks = new RunningClocks(guest, TICKS);
  private VcpuThread vcpu;

  @BeforeAll
  void createVcpu() {
    vcpu = VcpuThread.start(guest, 0);
  }

  @AfterAll
  void close() {
    vcpu.close();
    guest.close();
    kvm.close();
  }

  static Stream<Arguments> offsets() {
    return Stream.of(
        argumentSet("offset 0", new TscOffset(0)),
        argumentSet("offset +180e9", new TscOffset(180_000_000_000L)),
        argumentSet("offset -180e9", new TscOffset(-180_000_000_000L)));
  }

  @ParameterizedTest
  @MethodSource("offsets")
  void guestTscIsHostTscPlusOffset(TscOffset offset, TestReporter reporter) {
    vcpu.run(running -> running.setTscOffset(offset));

    ErrorBounds bounds = clocks.tscAgainstHost(vcpu, offset.ticks());

    String observation = "vCPU 0 with offset %s: guest TSC's %s".formatted(offset, bounds);
    reporter.publishEntry(observation);
    assertTrue(bounds.allowNone(), observation);
  }
}
