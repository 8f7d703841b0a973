package kvmselftest.host.image;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import kvmselftest.host.HostCommand;
import kvmselftest.host.JavaProgram;
import kvmselftest.host.NativeProgram;

/**
 * What is of this run only: the commands, as a shell script for the init, and files the caller
 * wants in the image.
 *
 * @param device a file that must be there once the modules are
 * @param bound the emulated host turns itself off after this, when its JVMs have told what their
 *     threads are at
 */
record RunPart(
    GuestJvm jvm,
    boolean aot,
    List<HostCommand> commands,
    Map<String, Path> files,
    String device,
    Duration bound) {
  Archive write(Path file) throws IOException {
    ImageTree tree = new ImageTree().put("run/commands", ImageFile.of(script()));
    files.forEach((path, source) -> tree.put(path.replaceFirst("^/+", ""), ImageFile.of(source)));
    return Archive.write(tree, file);
  }

  String script() {
    StringBuilder script = new StringBuilder();
    script.append("device=").append(quoted(device)).append('\n');
    script.append("bound=").append(bound.toSeconds()).append('\n');
    script.append("commands() {\n");
    for (int i = 0; i < commands.size(); i++) {
      script.append("  run ").append(i);
      words(commands.get(i)).forEach(word -> script.append(' ').append(quoted(word)));
      script.append('\n');
    }
    return script.append("  :\n}\n").toString();
  }

  private List<String> words(HostCommand command) {
    return switch (command) {
      case JavaProgram program -> jvm.command("jre/bin/java", aotOptions(), program);
      case NativeProgram program -> program.words();
    };
  }

  /** A cache that does not fit is not used, and the JVM says so in a line. */
  private List<String> aotOptions() {
    return aot ? List.of("-XX:AOTCache=" + GuestJvm.AOT_CACHE) : List.of();
  }

  /** Nothing is special to the shell between single quotes but another one. */
  private static String quoted(String word) {
    return "'" + word.replace("'", "'\\''") + "'";
  }
}
