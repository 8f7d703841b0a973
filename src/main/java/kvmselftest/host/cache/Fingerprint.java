package kvmselftest.host.cache;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Tells inputs apart: equal fingerprints mean equal inputs. */
public final class Fingerprint {
  /** 64 bits: among the few inputs of one machine no two will meet. */
  private static final int BYTES = 8;

  private final MessageDigest digest;

  public Fingerprint() {
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  /** A text, told apart from the ones before and after it. */
  public Fingerprint add(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    digest.update((bytes.length + ":").getBytes(StandardCharsets.UTF_8));
    digest.update(bytes);
    return this;
  }

  public Fingerprint add(Iterable<String> texts) {
    texts.forEach(this::add);
    return add("end of list");
  }

  public Fingerprint add(byte[] bytes) {
    add(bytes.length + " bytes");
    digest.update(bytes);
    return this;
  }

  /** A file's whole content. */
  public Fingerprint addContent(Path file) throws IOException {
    add(Files.size(file) + " bytes");
    try (InputStream in = Files.newInputStream(file)) {
      in.transferTo(new DigestOutputStream(OutputStream.nullOutputStream(), digest));
    }
    return this;
  }

  /** A file's size and time: for files that are too large to be read at every run. */
  public Fingerprint addStamp(Path file) throws IOException {
    return add(file + " " + Files.size(file) + " " + Files.getLastModifiedTime(file).toMillis());
  }

  /** Ends it. */
  public String hex() {
    return HexFormat.of().formatHex(digest.digest(), 0, BYTES);
  }
}
