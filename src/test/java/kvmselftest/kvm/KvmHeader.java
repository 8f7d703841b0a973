package kvmselftest.kvm;

import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The linux/kvm.h that the C compiler finds.
 *
 * @param file where it is
 * @param release the Linux it is of, without the last of its three numbers
 */
record KvmHeader(Path file, Release release) {

  /** Linux {@code major.minor}. */
  record Release(int major, int minor) implements Comparable<Release> {

    @Override
    public int compareTo(Release other) {
      return Comparator.comparingInt(Release::major)
          .thenComparingInt(Release::minor)
          .compare(this, other);
    }

    @Override
    public String toString() {
      return major + "." + minor;
    }
  }

  private static final Pattern FILE = Pattern.compile("# \\d+ \"(.*/linux/kvm\\.h)\".*");
  private static final Pattern CODE = Pattern.compile("#define LINUX_VERSION_CODE (\\d+)");

  /**
   * Finds it, or aborts the test with what to install: no {@code cc}, no header, or one older than
   * {@code oldest}, which lacks fields and constants.
   */
  static KvmHeader find(CCompiler cc, Release oldest) throws InterruptedException {
    KvmHeader header = parse(preprocess(cc));
    if (header.release.compareTo(oldest) < 0) {
      abort(
          "%s is of Linux %s, the bindings are of %s: install a linux-libc-dev at least that new"
              .formatted(header.file, header.release, oldest));
    }
    return header;
  }

  private static CCompiler.Result preprocess(CCompiler cc) throws InterruptedException {
    try {
      return cc.preprocess(
          """
          #include <linux/kvm.h>
          #include <linux/version.h>
          """);
    } catch (IOException e) {
      return abort(
          "No C compiler to compare the bindings with: install gcc (%s)".formatted(e.getMessage()));
    }
  }

  private static KvmHeader parse(CCompiler.Result result) {
    if (result.status() != 0) {
      abort("No linux/kvm.h to compare the bindings with: install linux-libc-dev and libc6-dev");
    }
    int code = Integer.parseInt(find(CODE, result.output()));
    // A byte each, as KERNEL_VERSION of linux/version.h packs them.
    Release release = new Release(code >> 16, code >> 8 & 0xff);
    return new KvmHeader(Path.of(find(FILE, result.output())), release);
  }

  private static String find(Pattern line, String text) {
    return text.lines()
        .map(line::matcher)
        .filter(Matcher::matches)
        .findFirst()
        .orElseThrow(() -> new AssertionError("The preprocessor's output has no line " + line))
        .group(1);
  }
}
