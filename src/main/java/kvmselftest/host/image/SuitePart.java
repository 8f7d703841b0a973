package kvmselftest.host.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.concurrent.TimeUnit;
import kvmselftest.host.HostException;
import kvmselftest.host.JavaProgram;
import kvmselftest.host.Progress;
import kvmselftest.host.cache.FileTree;
import kvmselftest.host.cache.Fingerprint;
import org.jspecify.annotations.Nullable;

/**
 * The jars, and the AOT cache made of them.
 *
 * @param training what is run to make the cache; null for none
 */
record SuitePart(JavaRuntime runtime, GuestJvm jvm, @Nullable JavaProgram training) {
  /**
   * Out of the cache folder or made now.
   *
   * @param spare where it is made when the training fails; not kept then, so that the next run
   *     tries again
   */
  Archive archive(Parts parts, Path spare) throws HostException, IOException {
    jvm.check();
    if (training == null) {
      return parts.get("suite", key(), folder -> Archive.write(tree(), Parts.file(folder)));
    }
    try {
      return parts.get("suite", key(), folder -> trained(training, folder, parts.progress()));
    } catch (AotTraining.FailedException e) {
      parts.progress().step(e.getMessage() + "; Java will start slowly");
      return Archive.write(tree(), spare.resolve("suite.cpio"));
    }
  }

  private String key() throws IOException {
    Fingerprint fingerprint = new Fingerprint().add(runtime.key()).add(GuestJvm.OPTIONS);
    for (Path jar : jvm.jars()) {
      fingerprint.add(jar.getFileName().toString()).addContent(jar);
    }
    return fingerprint.add(String.valueOf(training)).hex();
  }

  private void trained(JavaProgram program, Path folder, Progress progress)
      throws IOException, HostException {
    Path stage = Files.createDirectory(folder.resolve("stage"));
    stageJars(stage);
    Path aot = new AotTraining(runtime, jvm, program).run(stage);
    ImageTree tree = tree().put(GuestJvm.FOLDER + "/" + GuestJvm.AOT_CACHE, ImageFile.of(aot));
    Archive.write(tree, Parts.file(folder));
    FileTree.delete(stage);
    progress.step("AOT cache made by a training run");
  }

  /** The JVM compares the jars' sizes and times with those it saw in the training. */
  private void stageJars(Path stage) throws IOException {
    Path folder = Files.createDirectory(stage.resolve(GuestJvm.JARS));
    for (Path jar : jvm.jars()) {
      Path copy = Files.copy(jar, folder.resolve(jar.getFileName()));
      Files.setLastModifiedTime(copy, FileTime.from(ImageTree.TIME, TimeUnit.SECONDS));
    }
  }

  private ImageTree tree() {
    ImageTree tree = new ImageTree().folder(GuestJvm.FOLDER);
    String folder = GuestJvm.FOLDER + "/" + GuestJvm.JARS + "/";
    jvm.jars().forEach(jar -> tree.put(folder + jar.getFileName(), new ImageFile.Copy(jar, false)));
    return tree;
  }
}
