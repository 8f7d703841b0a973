package kvmselftest.host.image;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import kvmselftest.host.HostException;
import kvmselftest.host.HostRun;
import kvmselftest.host.Progress;
import kvmselftest.host.cache.CacheFolder;

/**
 * The initramfs of a run: four cpio archives one after the other, which the kernel unpacks into one
 * tree. All but the last, small one come from the cache folder unless their inputs have changed.
 */
public record HostImage(CacheFolder cache, Progress progress) {
  /**
   * Makes it.
   *
   * @param folder where to; what is made there is of this run only
   * @return the initramfs, in that folder
   * @throws HostException if a part of it cannot be made
   */
  public Path make(HostRun run, Path folder) throws HostException {
    try {
      return concatenated(parts(run, folder), folder.resolve("initramfs.cpio"));
    } catch (IOException e) {
      throw new HostException(
          "cannot make the emulated host's image: "
              + e.getMessage()
              + "; make room in "
              + cache.root()
              + " or name another cache folder by XDG_CACHE_HOME",
          e);
    }
  }

  private List<Archive> parts(HostRun run, Path folder) throws HostException, IOException {
    Parts parts = new Parts(cache, progress);
    JavaRuntime runtime = JavaRuntime.of(run.jdk(), cache, progress);
    GuestJvm jvm = new GuestJvm(run.classPath());
    Archive base = new BasePart(runtime, run.busybox()).archive(parts);
    Archive suite = new SuitePart(runtime, jvm, run.training()).archive(parts, folder);
    Archive modules = new ModulesPart(run.kernel().modules()).archive(parts);
    RunPart own =
        new RunPart(
            jvm,
            run.training() != null && !suite.file().startsWith(folder),
            run.commands(),
            run.files(),
            run.device(),
            run.bounds().run());
    return List.of(base, suite, modules, own.write(folder.resolve("run.cpio")));
  }

  private static Path concatenated(List<Archive> archives, Path file) throws IOException {
    try (FileChannel out =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      for (Archive archive : archives) {
        append(archive.file(), out);
      }
    }
    return file;
  }

  /** The kernel of this machine does the copying. */
  private static void append(Path file, FileChannel out) throws IOException {
    try (FileChannel in = FileChannel.open(file)) {
      for (long done = 0; done < in.size(); ) {
        done += in.transferTo(done, in.size() - done, out);
      }
    }
  }
}
