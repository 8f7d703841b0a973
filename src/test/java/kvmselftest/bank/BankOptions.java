package kvmselftest.bank;

import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The command line, as picocli fills it in. */
@Command(
    name = "seeded-bugs/run.sh",
    header = "Runs the suite against KVM with one bug at a time, on the emulated host.",
    description = {
      "",
      "Builds KVM's modules of Linux 6.1 with one patch at a time (Debian 12's"
          + " packages; nothing is installed), runs the suite and upstream's C tests on them, and"
          + " prints in Markdown who caught what."
    },
    synopsisHeading = "%nUsage: ",
    customSynopsis = "seeded-bugs/run.sh [OPTION]...",
    optionListHeading = "%nOptions:%n",
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {
      " 0:every bug was caught",
      " 1:a bug was not caught, the unchanged modules did not pass, or something failed",
      "64:the command line is wrong"
    },
    sortOptions = false,
    usageHelpAutoWidth = false)
final class BankOptions {
  /** One of each kind, for CI. */
  static final List<String> QUICK =
      List.of(
          "attr-hidden-100ns",
          "hw-offset-100ns",
          "master-though-unmatched",
          "set-realtime-ignored");

  @Option(
      names = "--host",
      paramLabel = "KIND",
      description =
          "Which emulated host: amd, with the bugs of seeded-bugs/patches; or intel, with those of"
              + " seeded-bugs/scaling, by the tests of TSC scaling. Default: amd.",
      converter = KindConverter.class)
  BankKind kind = BankKind.AMD;

  /** As users write it. */
  static final class KindConverter implements ITypeConverter<BankKind> {
    @Override
    public BankKind convert(String word) {
      return Stream.of(BankKind.values())
          .filter(kind -> kind.toString().equals(word))
          .findFirst()
          .orElseThrow(() -> new TypeConversionException("'" + word + "' is not amd or intel"));
    }
  }

  @Option(
      names = "--only",
      paramLabel = "PATTERN",
      split = ",",
      description = "Only bugs of that name: * and ? as in a shell; several with commas.")
  List<String> only = List.of();

  @Option(names = "--quick", description = "Only a handful of bugs, one of each kind.")
  boolean quick;

  @Option(names = "--no-upstream", description = "Without upstream's C tests.")
  boolean noUpstream;

  @Option(names = "--build-only", description = "Build the modules, run nothing.")
  boolean buildOnly;

  @Option(names = "--list", description = "List the bugs.")
  boolean list;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description =
          "How many bugs to try in one boot. Those of a boot that comes to no verdict are tried "
              + "again one by one. Default: 8.")
  int batch = 8;

  @Option(
      names = "--table",
      paramLabel = "FILE",
      description = "Write the table there, too, anew after each boot.")
  @Nullable Path table;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Print this.")
  boolean help;

  /** Whether a bug is to be run. */
  boolean selects(SeededBug bug) {
    return (!quick || QUICK.contains(bug.name()))
        && (only.isEmpty() || patterns().anyMatch(glob -> glob.matcher(bug.name()).matches()));
  }

  private Stream<Pattern> patterns() {
    return only.stream()
        .map(glob -> Pattern.quote(glob).replace("*", "\\E.*\\Q").replace("?", "\\E.\\Q"))
        .map(Pattern::compile);
  }
}
