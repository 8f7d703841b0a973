package kvmselftest.host.debian;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Objects;
import java.util.Set;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;

/** A folder that files of an archive are put into, and none beside it. */
final class UnpackedTree {
  private final Path root;

  UnpackedTree(Path root) throws IOException {
    this.root = root.toRealPath();
  }

  /**
   * Makes the entry's file, folder or link; devices are left out.
   *
   * @throws IOException when it would lie outside the folder
   */
  void add(TarArchiveEntry entry, InputStream content) throws IOException {
    Path target = inside(root, entry.getName());
    if (target.equals(root)) {
      return;
    }
    if (entry.isDirectory()) {
      makeFolder(target);
    } else if (entry.isSymbolicLink()) {
      link(target, entry.getLinkName());
    } else if (entry.isLink()) {
      Path original = inside(root, entry.getLinkName());
      Files.copy(original, prepared(target), StandardCopyOption.REPLACE_EXISTING);
    } else if (entry.isFile()) {
      Files.copy(content, prepared(target), StandardCopyOption.REPLACE_EXISTING);
      setExecutable(target, (entry.getMode() & 0100) != 0);
    }
  }

  private static Path inside(Path base, String name) throws IOException {
    Path path = base.resolve("./" + name).normalize();
    if (!path.startsWith(base)) {
      throw new IOException("it has a file outside its folder: " + name);
    }
    return path;
  }

  /** A link made by an earlier entry must not lead a later one out of the folder. */
  private void makeFolder(Path folder) throws IOException {
    Path existing = folder;
    while (!Files.exists(existing, LinkOption.NOFOLLOW_LINKS)) {
      existing = Objects.requireNonNull(existing.getParent());
    }
    if (!existing.toRealPath().startsWith(root)) {
      throw new IOException("it has a file behind a link out of its folder: " + folder);
    }
    Files.createDirectories(folder);
  }

  private Path prepared(Path target) throws IOException {
    makeFolder(Objects.requireNonNull(target.getParent()));
    return target;
  }

  /** Links to what is elsewhere on the machine are of no use here and left out. */
  private void link(Path target, String to) throws IOException {
    Path parent = Objects.requireNonNull(target.getParent());
    if (to.startsWith("/") || !parent.resolve(to).normalize().startsWith(root)) {
      return;
    }
    Files.deleteIfExists(prepared(target));
    Files.createSymbolicLink(target, Path.of(to));
  }

  private static void setExecutable(Path file, boolean executable) throws IOException {
    Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(file);
    permissions.add(PosixFilePermission.OWNER_READ);
    if (executable) {
      permissions.add(PosixFilePermission.OWNER_EXECUTE);
    }
    Files.setPosixFilePermissions(file, permissions);
  }
}
