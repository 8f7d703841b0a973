package kvmselftest.host.debian;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The folders that programs are looked for in. */
record SearchPath(List<Path> folders) {
  SearchPath {
    folders = List.copyOf(folders);
  }

  /** PATH, and after it the sbin folders that an ordinary user's may lack. */
  static SearchPath ofProcess() {
    String path = System.getenv().getOrDefault("PATH", "");
    return new SearchPath(
        Stream.concat(
                Arrays.stream(path.split(File.pathSeparator, -1)), Stream.of("/usr/bin", "/bin"))
            .filter(folder -> !folder.isEmpty())
            .map(Path::of)
            .toList());
  }

  Optional<Path> find(String program) {
    return folders.stream()
        .map(folder -> folder.resolve(program))
        .filter(file -> Files.isRegularFile(file) && Files.isExecutable(file))
        .findFirst();
  }
}
