package kvmselftest;

import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.AccessTarget;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.lang.foreign.AddressLayout;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The layout that CONTRIBUTING.md describes: imports only point down. */
class LayersTest {
  private static JavaClasses classes;

  @BeforeAll
  static void importClasses() {
    classes =
        new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("kvmselftest");
  }

  @Test
  void importsOnlyPointDown() {
    layeredArchitecture()
        .consideringOnlyDependenciesInLayers()
        .layer("cli")
        .definedBy("kvmselftest.cli..")
        .layer("runner")
        .definedBy("kvmselftest.runner..")
        .layer("host")
        .definedBy("kvmselftest.host..")
        .layer("review")
        .definedBy("kvmselftest.review..")
        .layer("results")
        .definedBy("kvmselftest.results..")
        .layer("trace")
        .definedBy("kvmselftest.trace..")
        .layer("probe")
        .definedBy("kvmselftest.probe..")
        .layer("migration")
        .definedBy("kvmselftest.migration..")
        .layer("guest")
        .definedBy("kvmselftest.guest..")
        .layer("kvm")
        .definedBy("kvmselftest.kvm..")
        .layer("x86")
        .definedBy("kvmselftest.x86..")
        .layer("sys")
        .definedBy("kvmselftest.sys..")
        .layer("bindings")
        .definedBy("kvmselftest.bindings..")
        .whereLayer("cli")
        .mayOnlyAccessLayers("runner", "host", "review", "results", "probe", "trace", "kvm")
        .whereLayer("trace")
        .mayOnlyAccessLayers("kvm", "x86", "sys")
        .whereLayer("probe")
        .mayOnlyAccessLayers("guest", "kvm", "x86", "sys")
        .whereLayer("runner")
        .mayOnlyAccessLayers("results")
        .whereLayer("review")
        .mayOnlyAccessLayers("results")
        .whereLayer("results")
        .mayNotAccessAnyLayer()
        .whereLayer("host")
        .mayNotAccessAnyLayer()
        .whereLayer("guest")
        .mayOnlyAccessLayers("kvm", "x86", "sys")
        .whereLayer("migration")
        .mayOnlyAccessLayers("kvm", "x86", "sys")
        .whereLayer("kvm")
        .mayOnlyAccessLayers("x86", "sys", "bindings")
        .whereLayer("x86")
        .mayOnlyAccessLayers("sys")
        .whereLayer("sys")
        .mayNotAccessAnyLayer()
        .whereLayer("bindings")
        .mayNotAccessAnyLayer()
        .check(classes);
  }

  @Test
  void hostKnowsNothingOfJunitAndRunnerNothingButJunit() {
    noClasses()
        .that()
        .resideInAPackage("kvmselftest.host..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("org.junit..")
        .check(classes);
    noClasses()
        .that()
        .resideInAPackage("kvmselftest.runner..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("org.junit.jupiter..")
        .check(classes);
  }

  /** Methods that can crash the JVM when they are wrong: java.lang.foreign's restricted ones. */
  private static final Map<Class<?>, Set<String>> RESTRICTED =
      Map.of(
          Linker.class, Set.of("downcallHandle", "upcallStub"),
          MemorySegment.class, Set.of("reinterpret"),
          AddressLayout.class, Set.of("withTargetLayout"),
          SymbolLookup.class, Set.of("libraryLookup"));

  @Test
  void restrictedMethodsAreCalledInSysAlone() {
    DescribedPredicate<AccessTarget> restricted =
        DescribedPredicate.describe(
            "a restricted method of java.lang.foreign",
            method ->
                RESTRICTED.entrySet().stream()
                    .anyMatch(
                        entry ->
                            method.getOwner().isEquivalentTo(entry.getKey())
                                && entry.getValue().contains(method.getName())));
    noClasses()
        .that()
        .resideOutsideOfPackages("kvmselftest.sys..", "kvmselftest.bindings..")
        .should()
        .callMethodWhere(target(restricted))
        .check(classes);
  }
}
