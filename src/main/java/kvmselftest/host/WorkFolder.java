package kvmselftest.host;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import kvmselftest.host.cache.FileTree;

/**
 * A folder for the files of one run. Deleted at its end; by a shutdown hook when Ctrl-C or SIGTERM
 * ends the JVM first; and by the next run when nothing was left to delete it.
 */
final class WorkFolder implements AutoCloseable {
  private static final String PREFIX = "run-";

  /** Someone may just be writing into the folder. */
  private static final int ATTEMPTS = 5;

  private final Path path;
  private final Thread deleter = new Thread(this::delete, "delete work folder");

  private WorkFolder(Path path) {
    this.path = path;
  }

  /**
   * Makes one.
   *
   * @param parent where all of them are
   * @throws HostException if that cannot be written
   */
  static WorkFolder create(Path parent) throws HostException {
    try {
      Files.createDirectories(parent);
      deleteOrphans(parent);
      String prefix = PREFIX + ProcessHandle.current().pid() + "-";
      WorkFolder folder = new WorkFolder(Files.createTempDirectory(parent, prefix));
      Runtime.getRuntime().addShutdownHook(folder.deleter);
      return folder;
    } catch (IOException e) {
      throw new HostException(
          "cannot write to " + parent + ": " + e + "; make room or access there", e);
    }
  }

  Path path() {
    return path;
  }

  @Override
  public void close() {
    delete();
    try {
      Runtime.getRuntime().removeShutdownHook(deleter);
    } catch (IllegalStateException e) {
      // The JVM is shutting down, and the hook has done its work.
    }
  }

  private void delete() {
    for (int i = 0; i < ATTEMPTS && Files.exists(path); i++) {
      try {
        FileTree.delete(path);
      } catch (IOException e) {
        // Something new is in it; once more.
      }
    }
  }

  /** Those of processes that are no more: killed by SIGKILL, or the machine was turned off. */
  private static void deleteOrphans(Path parent) throws IOException {
    List<Path> folders;
    try (Stream<Path> all = Files.list(parent)) {
      folders = all.filter(WorkFolder::isOrphan).toList();
    }
    for (Path folder : folders) {
      FileTree.delete(folder);
    }
  }

  private static boolean isOrphan(Path folder) {
    String[] name = folder.getFileName().toString().split("-", -1);
    return name.length == 3
        && name[0].equals("run")
        && ProcessHandle.of(Long.parseLong(name[1])).isEmpty();
  }
}
