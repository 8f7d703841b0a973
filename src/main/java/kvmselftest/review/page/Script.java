package kvmselftest.review.page;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;

/** What is put into the page as it is: scripts and the style sheet. */
record Script(String text) {
  /** Of org.webjars:echarts, by the version in pom.xml: a test sees when they differ. */
  private static final String ECHARTS =
      "META-INF/resources/webjars/echarts/5.5.0/echarts.common.min.js";

  /** A file beside this class. */
  static Script ours(String name) throws IOException {
    try (InputStream in = Script.class.getResourceAsStream(name)) {
      return of(in, name);
    }
  }

  /** Apache ECharts with lines, bars and both renderers. */
  static Script echarts() throws IOException {
    try (InputStream in = Script.class.getClassLoader().getResourceAsStream(ECHARTS)) {
      return of(in, ECHARTS);
    }
  }

  /** Whether the chart library is on the class path. */
  static boolean hasEcharts() {
    return Script.class.getClassLoader().getResource(ECHARTS) != null;
  }

  private static Script of(InputStream in, String name) throws IOException {
    if (in == null) {
      throw new IOException(name + " is not on the class path: build with mvn package");
    }
    return new Script(new String(in.readAllBytes(), StandardCharsets.UTF_8));
  }

  /** How a content security policy names it. */
  String hash() {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      byte[] hash = digest.digest(text.getBytes(StandardCharsets.UTF_8));
      return "'sha256-" + Base64.getEncoder().encodeToString(hash) + "'";
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
