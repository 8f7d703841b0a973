package kvmselftest.host.process;

import java.util.Set;

/** The environment variables that add options to a Java program's own. */
final class JavaVariables {
  static final Set<String> NAMES =
      Set.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "JDK_AOT_VM_OPTIONS");

  private JavaVariables() {}
}
