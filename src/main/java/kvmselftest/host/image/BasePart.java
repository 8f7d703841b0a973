package kvmselftest.host.image;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import kvmselftest.host.HostException;
import kvmselftest.host.cache.Fingerprint;

/** The large part that is the same from run to run: Java runtime, C library, busybox, init. */
record BasePart(JavaRuntime runtime, Path busybox) {
  /** The busybox programs that the init calls by name. */
  private static final List<String> APPLETS =
      List.of(
          "gzip",
          "insmod",
          "ln",
          "mkdir",
          "mount",
          "poweroff",
          "sh",
          "sleep",
          "stty",
          "tar",
          "time");

  /** The init makes the folders it needs itself, but these must be there to mount on. */
  private static final List<String> FOLDERS = List.of("proc", "sys", "dev", "tmp", "run", "root");

  private static final String INIT = "init";

  Archive archive(Parts parts) throws HostException, IOException {
    SharedLibraries libraries = new SharedLibraries(runtime.home());
    // The libraries come with the loader, in one package.
    String key =
        new Fingerprint()
            .add(runtime.key())
            .addStamp(libraries.loader().toRealPath())
            .addContent(busybox)
            .add(init())
            .add(APPLETS)
            .hex();
    return parts.get("base", key, folder -> Archive.write(tree(libraries), Parts.file(folder)));
  }

  ImageTree tree(SharedLibraries libraries) throws IOException, HostException {
    ImageTree tree = new ImageTree().put(INIT, ImageFile.script(init()));
    FOLDERS.forEach(tree::folder);
    tree.put("bin/busybox", new ImageFile.Copy(busybox, true));
    APPLETS.forEach(name -> tree.put("bin/" + name, ImageFile.linkTo("busybox")));
    String home = GuestJvm.FOLDER + "/" + GuestJvm.RUNTIME;
    tree.putAll(home, runtime.home());
    // Not read by a running JVM.
    tree.remove(home + "/legal").remove(home + "/lib/jrt-fs.jar");
    // The AOT cache takes its place; 13 MB to unpack otherwise.
    tree.remove(home + "/lib/server/classes.jsa");
    tree.remove(home + "/lib/server/classes_nocoops.jsa");
    for (Path library : libraries.paths()) {
      tree.put(library.toString().substring(1), new ImageFile.Copy(library, true));
    }
    return tree;
  }

  private static byte[] init() throws IOException {
    try (InputStream in = BasePart.class.getResourceAsStream(INIT)) {
      if (in == null) {
        throw new IOException("the init is missing from the jar; build it again");
      }
      return in.readAllBytes();
    }
  }
}
