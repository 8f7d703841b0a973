package kvmselftest.host.image;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class SharedLibrariesTest {
  @Test
  void ofThisJvmAreTheLoaderAndTheCLibraryButNoneOfItsOwn() throws Exception {
    Path home = Path.of(System.getProperty("java.home"));
    SharedLibraries libraries = new SharedLibraries(home);

    List<String> paths = libraries.paths().stream().map(Path::toString).toList();
    assertTrue(paths.contains(libraries.loader().toString()), paths::toString);
    assertTrue(paths.stream().anyMatch(path -> path.endsWith("/libc.so.6")), paths::toString);
    assertTrue(paths.stream().noneMatch(path -> path.startsWith(home.toString())), paths::toString);
  }
}
