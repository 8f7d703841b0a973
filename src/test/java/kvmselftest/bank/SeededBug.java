package kvmselftest.bank;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * One patch of the bank: a title, an empty line, what becomes wrong, an empty line, a unified diff.
 *
 * @param name its file's, without .patch
 * @param title what the mistake is
 * @param effect what becomes wrong for a guest or a VMM
 * @param diff the rest
 * @param patch its file
 */
record SeededBug(String name, String title, String effect, String diff, Path patch) {
  private static final String SUFFIX = ".patch";
  private static final String DIFF = "--- a/arch/x86/kvm/";

  /** All patches of a folder, by name. */
  static List<SeededBug> in(Path folder) throws IOException, BankException {
    List<Path> patches;
    try (Stream<Path> files = Files.list(folder)) {
      patches = files.filter(file -> file.toString().endsWith(SUFFIX)).sorted().toList();
    }
    List<SeededBug> bugs = new ArrayList<>();
    for (Path patch : patches) {
      bugs.add(of(patch, Files.readString(patch)));
    }
    return List.copyOf(bugs);
  }

  static SeededBug of(Path patch, String text) throws BankException {
    String file = String.valueOf(patch.getFileName());
    int diff = text.indexOf(DIFF);
    List<String> header = text.substring(0, Math.max(diff, 0)).lines().toList();
    if (header.size() < 4 || header.getFirst().isBlank() || !header.get(1).isBlank()) {
      throw new BankException(
          file + " does not begin with a title, an empty line and what becomes wrong");
    }
    String effect =
        header.stream()
            .skip(2)
            .map(String::strip)
            .filter(line -> !line.isEmpty())
            .collect(Collectors.joining(" "));
    return new SeededBug(
        file.substring(0, file.length() - SUFFIX.length()),
        header.getFirst().strip(),
        effect,
        text.substring(diff),
        patch);
  }
}
