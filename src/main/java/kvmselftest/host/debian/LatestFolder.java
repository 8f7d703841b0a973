package kvmselftest.host.debian;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import kvmselftest.host.cache.CacheFolder;

/** Remembers in a file which of the cache's folders was the newest for a name, and since when. */
record LatestFolder(CacheFolder cache, String name) {
  /** The folder, if it is there and was set no longer ago than that. */
  Optional<Path> get(Duration age) {
    try {
      Path folder = cache.root().resolve(Files.readString(file()).strip());
      Instant set = Files.getLastModifiedTime(file()).toInstant();
      boolean recent = Duration.between(set, Instant.now()).compareTo(age) <= 0;
      return recent && Files.isDirectory(folder) ? Optional.of(folder) : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  void set(Path folder) throws IOException {
    Files.createDirectories(cache.root().resolve("latest"));
    Path next = cache.root().resolve("latest").resolve("." + name);
    Files.writeString(next, folder.getFileName() + "\n");
    Files.move(next, file(), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  private Path file() {
    return cache.root().resolve("latest").resolve(name);
  }
}
