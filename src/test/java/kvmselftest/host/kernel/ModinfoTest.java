package kvmselftest.host.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ModinfoTest {
  private static final byte[] MODULE = FakeKernel.module("6.1.0-56", "kvm,ccp");

  @Test
  void readsReleaseAndDependencies() {
    Modinfo info = Modinfo.of(MODULE).orElseThrow();
    assertEquals("6.1.0-56", info.release());
    assertEquals(List.of("kvm", "ccp"), info.depends());
  }

  @Test
  void readsThatNothingIsNeeded() {
    assertEquals(
        Optional.of(List.of()), Modinfo.of(FakeKernel.module("6.1", "")).map(Modinfo::depends));
  }

  @Test
  void findsNothingInWhatIsNoWholeModule() {
    for (int length = 0; length < MODULE.length; length++) {
      assertEquals(Optional.empty(), Modinfo.of(Arrays.copyOf(MODULE, length)));
    }
    byte[] text = "no module".repeat(100).getBytes(StandardCharsets.US_ASCII);
    assertEquals(Optional.empty(), Modinfo.of(text));
  }

  @Test
  void findsNothingInAModuleForAnotherArchitecture() {
    byte[] arm64 = MODULE.clone();
    arm64[0x12] = (byte) 183;
    assertEquals(Optional.empty(), Modinfo.of(arm64));
  }
}
