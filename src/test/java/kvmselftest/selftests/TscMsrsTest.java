package kvmselftest.selftests;

import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.util.stream.Stream;
import kvmselftest.Requires;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Requirement;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.function.Executable;

/**
 * IA32_TSC and IA32_TSC_ADJUST, written by the host and by the guest: a guest's write to either
 * changes both, a host's write to one leaves the other alone.
 *
 * <p>Mirrors tools/testing/selftests/kvm/x86_64/tsc_msrs_test.c, stage by stage on one live vCPU.
 * Upstream rounds what it reads to a multiple of 2^30 ticks, since the TSC goes on meanwhile; here
 * the host's TSC says how far it has gone, and IA32_TSC_ADJUST, which stands still, is compared
 * exactly wherever the guest wrote it itself.
 */
@Tag("selftest")
@Requires({Requirement.KVM, Requirement.TSC_STABLE})
class TscMsrsTest {
  private static final long UNITY = 1L << 30;
  private static final long GUEST_STEP = UNITY * 4;
  private static final long HOST_ADJUST = UNITY * 64;

  private boolean failed;

  @TestFactory
  Stream<DynamicTest> stages(TestReporter reporter) {
    Kvm kvm = Kvm.open();
    TscMsrsVcpu vcpu = new TscMsrsVcpu(kvm, reporter);
    return Stream.of(
            stage("host: a new vCPU starts at 0", vcpu::assertHostReadsBoth),
            stage("guest: a new vCPU starts at 0", () -> vcpu.runStage(0)),
            stage(
                "stage 1: guest writes IA32_TSC", () -> vcpu.runStageThatWritesTsc(1, GUEST_STEP)),
            stage(
                "stage 2: guest writes IA32_TSC_ADJUST",
                () -> vcpu.runStageThatWritesAdjust(2, 2 * GUEST_STEP)),
            stage(
                "host writes IA32_TSC",
                () -> {
                  vcpu.hostWritesTsc(HOST_ADJUST + 2 * GUEST_STEP);
                  vcpu.assertHostReadsBoth();
                }),
            stage("stage 3: guest sees what the host wrote", () -> vcpu.runStage(3)),
            stage(
                "host writes IA32_TSC_ADJUST",
                () -> {
                  vcpu.hostWritesAdjustAndRestores(UNITY * 123456);
                  vcpu.assertHostReadsBoth();
                }),
            stage(
                "stage 4: guest writes IA32_TSC_ADJUST, host's offset stays",
                () -> vcpu.runStageThatWritesAdjust(4, 3 * GUEST_STEP)),
            stage(
                "stage 5: guest writes IA32_TSC, host's offset shows in IA32_TSC_ADJUST",
                () -> vcpu.runStageThatWritesTsc(5, 4 * GUEST_STEP)),
            stage("guest is done", vcpu::runToDone))
        .onClose(vcpu::close)
        .onClose(kvm::close);
  }

  /** A stage builds on those before it: after a failure there is nothing more to be seen. */
  private DynamicTest stage(String name, Executable body) {
    return dynamicTest(
        name,
        () -> {
          Assumptions.assumeFalse(failed, "an earlier stage failed");
          failed = true;
          body.execute();
          failed = false;
        });
  }
}
