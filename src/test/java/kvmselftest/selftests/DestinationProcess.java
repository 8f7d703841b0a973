package kvmselftest.selftests;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.TscOffset;
import kvmselftest.migration.ClockSnapshot;
import kvmselftest.migration.ClockSnapshotJson;
import kvmselftest.migration.Downtime;
import kvmselftest.migration.HostTscRate;
import kvmselftest.migration.SnapshotFormatException;
import kvmselftest.selftests.MovingGuest.Arrival;
import kvmselftest.selftests.MovingGuest.Departure;

/**
 * Another JVM that a guest can be moved to, any number of times, through its standard input and
 * output. Closing it ends it.
 */
final class DestinationProcess implements AutoCloseable {
  private static final long LAST_WORDS_SECONDS = 10;

  private final Process process;
  private final DataOutputStream out;
  private final DataInputStream in;
  private final Path errors;

  private DestinationProcess(Process process, Path errors) {
    this.process = process;
    this.errors = errors;
    this.out = new DataOutputStream(new BufferedOutputStream(process.getOutputStream()));
    this.in = new DataInputStream(new BufferedInputStream(process.getInputStream()));
  }

  /** Starts it, and waits until it has opened KVM. */
  static DestinationProcess start() throws IOException {
    Path errors = Files.createTempFile("destination", ".err");
    Process process =
        new ProcessBuilder(command()).redirectError(Redirect.to(errors.toFile())).start();
    DestinationProcess started = new DestinationProcess(process, errors);
    try {
      started.in.readInt();
      return started;
    } catch (IOException e) {
      try (started) {
        throw started.died(e);
      }
    }
  }

  /** As this JVM was started: with its AOT cache, if it has one, and the options that one needs. */
  private static List<String> command() throws IOException {
    List<String> words = new ArrayList<>();
    words.add(Path.of(System.getProperty("java.home"), "bin/java").toString());
    Pattern.compile("\0")
        .splitAsStream(Files.readString(Path.of("/proc/self/cmdline")))
        .filter(word -> word.startsWith("-X") || word.startsWith("--enable-native-access"))
        .forEach(words::add);
    words.addAll(List.of("-cp", System.getProperty("java.class.path")));
    words.add(DestinationProcess.class.getName());
    return words;
  }

  /** Moves a guest there. */
  Arrival move(Departure departure) throws IOException {
    try {
      out.writeInt(departure.snapshot().vcpus().size());
      out.writeUTF(ClockSnapshotJson.write(departure.snapshot()));
      departure.state().write(out);
      out.flush();
      return ArrivalStream.read(in, departure.snapshot(), Downtime.COUNTED);
    } catch (IOException e) {
      throw died(e);
    }
  }

  private IOException died(IOException cause) throws IOException {
    return new IOException(
        "the destination's JVM (%s) ended early: %s"
            .formatted(String.join(" ", command()), Files.readString(errors).strip()),
        cause);
  }

  @Override
  public void close() throws IOException {
    try {
      process.getOutputStream().close(); // its input ends, and so does it
      if (!process.waitFor(LAST_WORDS_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    } finally {
      process.destroyForcibly();
      Files.deleteIfExists(errors);
    }
  }

  /** The other JVM: takes guests until its input ends. */
  public static void main(String[] arguments) throws IOException, SnapshotFormatException {
    DataInputStream in = new DataInputStream(new BufferedInputStream(System.in));
    DataOutputStream out = new DataOutputStream(new BufferedOutputStream(System.out));
    try (Kvm kvm = Kvm.open()) {
      HostTscRate host = HostTscRate.of(kvm);
      MovingGuest.start(kvm, 1, new TscOffset(0), 0).close(); // what is loaded is loaded
      out.writeInt(0);
      out.flush();
      for (int vcpus = next(in); vcpus > 0; vcpus = next(in)) {
        ClockSnapshot snapshot = ClockSnapshotJson.read(in.readUTF());
        GuestState state = GuestState.read(in);
        try (MovingGuest destination = MovingGuest.create(kvm, vcpus)) {
          ArrivalStream.write(destination.arrive(state, snapshot, Downtime.COUNTED, host), out);
          out.flush();
        }
      }
    }
  }

  /** How many vCPUs the next guest has; 0 if there is none. */
  private static int next(DataInputStream in) throws IOException {
    in.mark(1);
    if (in.read() < 0) {
      return 0;
    }
    in.reset();
    return in.readInt();
  }
}
