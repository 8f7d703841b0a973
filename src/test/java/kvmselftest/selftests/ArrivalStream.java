package kvmselftest.selftests;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import kvmselftest.kvm.ClockData;
import kvmselftest.kvm.TscOffset;
import kvmselftest.migration.ClockSnapshot;
import kvmselftest.migration.ClockSnapshotJson;
import kvmselftest.migration.Downtime;
import kvmselftest.migration.RestoredClocks;
import kvmselftest.migration.SnapshotFormatException;
import kvmselftest.selftests.MovingGuest.Arrival;
import kvmselftest.x86.CounterWindow;
import kvmselftest.x86.PvclockPage;

/** What became of a guest, told by the JVM where it arrived to the one that it came from. */
final class ArrivalStream {
  private ArrivalStream() {}

  static void write(Arrival arrival, DataOutputStream out) throws IOException {
    RestoredClocks restored = arrival.restored();
    writeWindow(restored.setClock(), out);
    out.writeUTF(ClockSnapshotJson.write(new ClockSnapshot(restored.reading(), restored.vcpus())));
    out.writeInt(arrival.offsets().size());
    for (TscOffset offset : arrival.offsets()) {
      out.writeLong(offset.ticks());
    }
    ClockData clock = arrival.clock();
    out.writeLong(clock.clock());
    out.writeInt(clock.flags());
    out.writeLong(clock.realtime());
    out.writeLong(clock.hostTsc());
    for (PvclockPage page : arrival.pages()) {
      out.writeInt(page.version());
      out.writeLong(page.tscTimestamp());
      out.writeLong(page.systemTime());
      out.writeInt(page.tscToSystemMul());
      out.writeInt(page.tscShift());
      out.writeInt(page.flags());
    }
    out.writeInt(arrival.samples().size());
    for (Sample sample : arrival.samples()) {
      out.writeInt(sample.vcpu());
      out.writeLong(sample.hostNanos());
      writeWindow(sample.hostTsc(), out);
      out.writeLong(sample.guestTsc());
      out.writeLong(sample.kvmclock());
    }
  }

  static Arrival read(DataInputStream in, ClockSnapshot snapshot, Downtime downtime)
      throws IOException {
    CounterWindow setClock = readWindow(in);
    ClockSnapshot given = given(in.readUTF());
    List<TscOffset> offsets = new ArrayList<>();
    for (int left = in.readInt(); left > 0; left--) {
      offsets.add(new TscOffset(in.readLong()));
    }
    ClockData clock = new ClockData(in.readLong(), in.readInt(), in.readLong(), in.readLong());
    List<PvclockPage> pages = new ArrayList<>();
    for (int left = offsets.size(); left > 0; left--) {
      pages.add(
          new PvclockPage(
              in.readInt(),
              in.readLong(),
              in.readLong(),
              in.readInt(),
              in.readInt(),
              in.readInt()));
    }
    List<Sample> samples = new ArrayList<>();
    for (int left = in.readInt(); left > 0; left--) {
      samples.add(
          new Sample(in.readInt(), in.readLong(), readWindow(in), in.readLong(), in.readLong()));
    }
    RestoredClocks restored =
        new RestoredClocks(snapshot, downtime, setClock, given.reading(), given.vcpus());
    return new Arrival(restored, offsets, clock, pages, samples);
  }

  private static ClockSnapshot given(String text) throws IOException {
    try {
      return ClockSnapshotJson.read(text);
    } catch (SnapshotFormatException e) {
      throw new IOException(e);
    }
  }

  private static void writeWindow(CounterWindow window, DataOutputStream out) throws IOException {
    out.writeLong(window.from());
    out.writeLong(window.to());
  }

  private static CounterWindow readWindow(DataInputStream in) throws IOException {
    return new CounterWindow(in.readLong(), in.readLong());
  }
}
