package kvmselftest.review.page;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A Chromium without a screen, a new one with a profile of its own for each page.
 *
 * @param binary the program
 * @param folder for its profile and what it writes
 */
record Browser(Path binary, Path folder) {
  /** Much longer than a page takes on a busy machine. */
  private static final long PATIENCE_SECONDS = 120;

  /** What a page looks like in there. */
  enum Scheme {
    DARK("0"),
    LIGHT("1");

    private final String setting;

    Scheme(String setting) {
      this.setting = setting;
    }
  }

  /** Of Debian's and other distributions' names the first that is on the PATH. */
  static Optional<Path> installed() {
    String path = System.getenv().getOrDefault("PATH", "");
    return Stream.of("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
        .flatMap(name -> Arrays.stream(path.split(File.pathSeparator)).map(in -> Path.of(in, name)))
        .filter(Files::isExecutable)
        .findFirst();
  }

  /** The document once its scripts have run; fails if they said anything to the console. */
  String dom(Path page, int width) throws IOException, InterruptedException {
    return run(
        page, "--virtual-time-budget=5000", "--window-size=%d,900".formatted(width), "--dump-dom");
  }

  /** A picture of its top. */
  Path screenshot(Path page, Scheme scheme) throws IOException, InterruptedException {
    Path picture = folder.resolve(scheme + ".png");
    run(
        page,
        "--window-size=800,600",
        "--hide-scrollbars",
        "--blink-settings=preferredColorScheme=" + scheme.setting,
        "--screenshot=" + picture);
    return picture;
  }

  private String run(Path page, String... more) throws IOException, InterruptedException {
    Path out = folder.resolve("browser.out");
    Path err = folder.resolve("browser.err");
    List<String> words = new ArrayList<>(List.of(binary.toString()));
    words.addAll(
        List.of(
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            // As on a machine without a network.
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--enable-logging=stderr",
            "--user-data-dir=" + Files.createTempDirectory(folder, "profile")));
    words.addAll(List.of(more));
    words.add(page.toUri().toString());
    ProcessBuilder builder =
        new ProcessBuilder(words).redirectOutput(out.toFile()).redirectError(err.toFile());
    // Where it would leave folders of its own.
    builder.environment().put("TMPDIR", folder.toString());
    Process process = builder.start();
    try {
      assertTrue(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS), "the browser does not end");
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
    String said = Files.readString(err);
    assertEquals(0, process.exitValue(), said);
    assertEquals(List.of(), said.lines().filter(line -> line.contains("CONSOLE")).toList());
    return Files.readString(out);
  }
}
