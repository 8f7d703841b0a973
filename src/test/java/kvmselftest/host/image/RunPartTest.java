package kvmselftest.host.image;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import kvmselftest.host.HostCommand;
import kvmselftest.host.JavaProgram;
import kvmselftest.host.NativeProgram;
import org.junit.jupiter.api.Test;

class RunPartTest {
  @Test
  void shellReadsEveryWordAsItWas() throws Exception {
    String odd = "it's $HOME `id` \"x\"\\ *";
    RunPart part = part(new NativeProgram("printf", "%s|", odd, "", "-n"));

    String script = part.script() + "run() { shift; \"$@\"; }\ncommands\n";
    Process shell = new ProcessBuilder("sh", "-c", script).start();
    String out = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

    assertEquals(odd + "||-n|", out);
    assertEquals(0, shell.waitFor());
  }

  @Test
  void javaProgramIsCalledWithTheJarsOfTheImage() {
    String script = part(new JavaProgram("a.Main", List.of("-x"), List.of("-Xmx1g"))).script();

    String line = script.lines().filter(text -> text.startsWith("  run 0")).findFirst().get();
    assertEquals(
        "  run 0 'jre/bin/java' '-XX:AOTCache=suite.aot' '"
            + String.join("' '", GuestJvm.OPTIONS)
            + "' '-Xmx1g' '-cp' 'lib/one.jar:lib/two.jar' 'a.Main' '-x'",
        line);
  }

  private static RunPart part(HostCommand command) {
    return new RunPart(
        new GuestJvm(List.of(Path.of("/x/one.jar"), Path.of("/y/two.jar"))),
        true,
        List.of(command),
        Map.of(),
        "/dev/kvm",
        Duration.ofSeconds(60));
  }
}
