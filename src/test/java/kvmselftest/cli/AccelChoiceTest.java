package kvmselftest.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import kvmselftest.host.Accelerator;
import kvmselftest.host.NestedKvm;
import kvmselftest.host.UsageException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class AccelChoiceTest {
  private static final String NO_DEVICE = "/dev/kvm is not there";

  @TempDir Path modules;
  private final List<String> reasons = new ArrayList<>();

  @ParameterizedTest
  @CsvSource({
    "kvm_intel, Y, KVM_ON_INTEL, kvm-intel",
    "kvm_intel, 1, KVM_ON_INTEL, kvm-intel",
    "kvm_amd, Y, KVM_ON_AMD, kvm-amd",
    "kvm_amd, 1, KVM_ON_AMD, kvm-amd",
  })
  void nestedKvmRunsTheVendorsModule(
      String module, String nested, Accelerator accelerator, String loaded) throws Exception {
    loaded(module, nested);

    assertEquals(accelerator, decide(AccelChoice.AUTO, Optional.empty()));
    assertEquals(accelerator, decide(AccelChoice.KVM, Optional.empty()));
    assertEquals(loaded, accelerator.vendor().module());
    assertEquals(List.of(), reasons);
  }

  @ParameterizedTest
  @ValueSource(strings = {"N", "0"})
  void withoutNestedVirtualizationItIsTcg(String nested) throws Exception {
    loaded("kvm_intel", nested);

    assertEquals(Accelerator.TCG, decide(AccelChoice.AUTO, Optional.empty()));
    assertTrue(
        reasons.getFirst().contains("kvm_intel's parameter nested is " + nested),
        reasons.toString());
    assertRefused(Optional.empty(), "sudo modprobe kvm_intel nested=1");
  }

  @Test
  void parameterThatIsNotThereIsTold() throws Exception {
    Files.createDirectory(modules.resolve("kvm_amd"));
    assertRefused(Optional.empty(), "kvm_amd's parameter nested is not there");
  }

  @Test
  void anotherDriverIsNotTaken() throws Exception {
    loaded("kvm_pvm", "Y");

    assertEquals(Accelerator.TCG, decide(AccelChoice.AUTO, Optional.empty()));
    assertRefused(Optional.empty(), "neither kvm_intel nor kvm_amd");
  }

  @Test
  void unusableKvmIsNotTakenThoughNestedIsOn() throws Exception {
    loaded("kvm_intel", "Y");

    assertEquals(Accelerator.TCG, decide(AccelChoice.AUTO, Optional.of(NO_DEVICE)));
    assertEquals(List.of("accelerator TCG, because " + NO_DEVICE), reasons);
    assertRefused(Optional.of(NO_DEVICE), "--accel kvm cannot be had: " + NO_DEVICE);
  }

  @Test
  void tcgIsTakenWhateverThereIs() throws Exception {
    loaded("kvm_intel", "Y");

    assertEquals(Accelerator.TCG, decide(AccelChoice.TCG, Optional.empty()));
    assertEquals(List.of(), reasons);
  }

  @ParameterizedTest
  @EnumSource(Accelerator.class)
  void outputSaysWhich(Accelerator accelerator) {
    assertEquals(accelerator == Accelerator.TCG ? "TCG" : "KVM, nested", accelerator.toString());
  }

  private void loaded(String module, String nested) throws Exception {
    Path parameters = Files.createDirectories(modules.resolve(module).resolve("parameters"));
    Files.writeString(parameters.resolve("nested"), nested + "\n");
  }

  private Accelerator decide(AccelChoice choice, Optional<String> kvmUnusable)
      throws UsageException {
    return choice.decide(() -> kvmUnusable, new NestedKvm(modules), reasons::add);
  }

  private void assertRefused(Optional<String> kvmUnusable, String said) {
    UsageException e =
        assertThrows(UsageException.class, () -> decide(AccelChoice.KVM, kvmUnusable));
    assertTrue(e.getMessage().contains(said), e.getMessage());
    assertFalse(e.getMessage().contains("\n"), e.getMessage());
  }
}
