package kvmselftest.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.platform.engine.discovery.ClassNameFilter.includeClassNamePatterns;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClasspathRoots;

import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TagFilter;
import org.junit.platform.launcher.TestPlan;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;

class SelftestsTest {
  /** The index is made from the sources' text; this is made from the classes. */
  @Test
  void indexNamesEveryClassWithSelftests() throws URISyntaxException {
    Selftests suite = Selftests.ofSuite();

    Set<String> indexed = classes(suite.request(Selection.all(), Demands.NONE));

    assertEquals(classes(everything(suite)), indexed);
  }

  private static LauncherDiscoveryRequest everything(Selftests suite) throws URISyntaxException {
    Path testClasses =
        Path.of(SelftestsTest.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    return LauncherDiscoveryRequestBuilder.request()
        .selectors(selectClasspathRoots(Set.of(testClasses)))
        .filters(includeClassNamePatterns(".*"), TagFilter.includeTags(suite.tags()))
        .build();
  }

  private static Set<String> classes(LauncherDiscoveryRequest request) {
    TestPlan plan = Selftests.launcher().discover(request);
    return plan.getRoots().stream()
        .flatMap(root -> plan.getDescendants(root).stream())
        .flatMap(test -> test.getSource().stream())
        .filter(ClassSource.class::isInstance)
        .map(source -> ((ClassSource) source).getClassName())
        .collect(Collectors.toCollection(TreeSet::new));
  }
}
