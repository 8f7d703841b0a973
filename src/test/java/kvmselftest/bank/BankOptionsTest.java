package kvmselftest.bank;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class BankOptionsTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--only=set-clock-1us    | set-clock-1us    | true",
        "--only=set-clock-1us    | set-clock-1us2   | false",
        "--only=set-*            | set-clock-1us    | true",
        "--only=*-1?s            | set-clock-1us    | true",
        "--only=get-*,set-*      | set-clock-1us    | true",
        "--only=set.clock*       | set-clock-1us    | false",
        "--quick                 | hw-offset-100ns    | true",
        "--quick                 | set-clock-1us    | false",
        "--quick --only=get-*    | hw-offset-100ns    | false",
        "--no-upstream           | anything         | true",
      })
  void selects(String arguments, String name, boolean selected) {
    BankOptions options = new BankOptions();
    new CommandLine(options).parseArgs(arguments.split(" "));
    SeededBug bug = new SeededBug(name, "title", "effect", "diff", Path.of(name + ".patch"));
    assertEquals(selected, options.selects(bug), List.of(arguments, name).toString());
  }
}
