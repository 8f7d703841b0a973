package kvmselftest.kvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.GroupLayout;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import kvmselftest.bindings.kvm_h;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Holds the bindings against the installed linux/kvm.h: what they say of sizes, offsets, constants
 * and ioctl numbers is what a C compiler says. Needs no KVM.
 */
class BindingsLayoutTest {

  /** What the bindings were made from (bindings/README.md). */
  private static final KvmHeader.Release RELEASE = new KvmHeader.Release(6, 1);

  @TempDir static Path directory;
  static CCompiler cc;
  static KvmHeader header;

  @BeforeAll
  static void findCompilerAndHeader() throws InterruptedException {
    String machine = System.getProperty("os.arch");
    assumeTrue(
        machine.equals("amd64"),
        "The bindings are of x86-64's linux/kvm.h, this machine is " + machine);
    cc = new CCompiler(directory);
    header = KvmHeader.find(cc, RELEASE);
  }

  @ParameterizedTest
  @MethodSource("structs")
  void structIsAsInC(String struct) throws Exception {
    assertEquals(List.of(), mismatches(structFacts(struct, header.release().equals(RELEASE))));
  }

  @Test
  void constantsAreAsInC() throws Exception {
    assertEquals(List.of(), mismatches(constantFacts()));
  }

  @Test
  void doctoredHeaderIsNoticed() throws Exception {
    String doctored = Files.readString(header.file());
    doctored =
        replaced(
            doctored,
            "(struct kvm_clock_data \\{\\s*__u64 clock;\\s*)__u32 flags;",
            "$1__u64 flags;");
    doctored = replaced(doctored, "(#define KVM_CAP_ADJUST_CLOCK) 39", "$1 40");
    Path include = directory.resolve("doctored");
    Files.createDirectories(include.resolve("linux"));
    Files.writeString(include.resolve("linux/kvm.h"), doctored);

    List<CFact> facts = new ArrayList<>(structFacts("kvm_clock_data", false));
    facts.addAll(structFacts("kvm_run", false));
    facts.addAll(constantFacts());

    // The two ioctl numbers hold the struct's size.
    assertEquals(
        """
        sizeof(struct kvm_clock_data) is 56 in C, 48 in the bindings
        sizeof(((struct kvm_clock_data *)0)->flags) is 8 in C, 4 in the bindings
        offsetof(struct kvm_clock_data, realtime) is 24 in C, 16 in the bindings
        offsetof(struct kvm_clock_data, host_tsc) is 32 in C, 24 in the bindings
        KVM_CAP_ADJUST_CLOCK is 40 in C, 39 in the bindings
        KVM_GET_CLOCK is 2151198332 in C, 2150674044 in the bindings
        KVM_SET_CLOCK is 1077456507 in C, 1076932219 in the bindings\
        """,
        String.join("\n", mismatches(facts, "-I" + include)));
  }

  static List<String> structs() throws IOException {
    try (Stream<Path> files =
        Files.list(
            Path.of(
                System.getProperty("kvmselftest.basedir", "."),
                "bindings/java/kvmselftest/bindings"))) {
      return files
          .map(file -> file.getFileName().toString().replace(".java", ""))
          .filter(name -> !name.startsWith("kvm_h$") && !name.equals("kvm_h"))
          .sorted()
          .toList();
    }
  }

  private static List<CFact> structFacts(String name, boolean withReserved)
      throws ReflectiveOperationException {
    Class<?> generated = Class.forName(kvm_h.class.getPackageName() + "." + name);
    GroupLayout layout = (GroupLayout) generated.getMethod("layout").invoke(null);
    return StructFacts.of(name, layout, withReserved);
  }

  private static List<CFact> constantFacts() throws ReflectiveOperationException {
    List<CFact> facts = new ArrayList<>();
    for (Method method : kvm_h.class.getDeclaredMethods()) {
      if (method.getName().startsWith("KVM_")) {
        facts.add(new CFact(method.getName(), ((Number) method.invoke(null)).longValue()));
      }
    }
    facts.sort(Comparator.comparing(CFact::expression));
    return facts;
  }

  private static List<String> mismatches(List<CFact> facts, String... options) throws Exception {
    List<Long> actual = cc.evaluate(facts, options);
    assertEquals(facts.size(), actual.size(), "values for facts");
    List<String> mismatches = new ArrayList<>();
    for (int i = 0; i < facts.size(); i++) {
      CFact fact = facts.get(i);
      if (fact.stated() != actual.get(i)) {
        mismatches.add(
            "%s is %d in C, %d in the bindings"
                .formatted(fact.expression(), actual.get(i), fact.stated()));
      }
    }
    return mismatches;
  }

  private static String replaced(String text, String pattern, String by) {
    String result = text.replaceFirst(pattern, by);
    assertNotEquals(text, result, pattern);
    return result;
  }
}
