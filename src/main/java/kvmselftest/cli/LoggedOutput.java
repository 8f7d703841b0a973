package kvmselftest.cli;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** What goes to the user, kept in a file as well. Written at once, so closing it adds nothing. */
final class LoggedOutput extends OutputStream {
  private final PrintStream out;
  private final PrintStream log;

  private LoggedOutput(PrintStream out, PrintStream log) {
    this.out = out;
    this.log = log;
  }

  /**
   * Opens the file anew. That it gets full later does not stop the output.
   *
   * @throws IOException if it cannot be opened
   */
  static PrintStream to(PrintStream out, Path file) throws IOException {
    PrintStream log = new PrintStream(new FileOutputStream(file.toFile()));
    return new PrintStream(new LoggedOutput(out, log), true, StandardCharsets.UTF_8);
  }

  @Override
  public void write(int octet) {
    out.write(octet);
    log.write(octet);
  }

  @Override
  public void write(byte[] octets, int offset, int length) {
    out.write(octets, offset, length);
    log.write(octets, offset, length);
  }

  @Override
  public void flush() {
    out.flush();
    log.flush();
  }
}
