package kvmselftest.selftests;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import kvmselftest.guest.ClockGuest;
import kvmselftest.kvm.ClockData;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.TscOffset;
import kvmselftest.kvm.Vcpu;
import kvmselftest.migration.ClockReading;
import kvmselftest.migration.ClockRestore;
import kvmselftest.migration.ClockSnapshot;
import kvmselftest.migration.Downtime;
import kvmselftest.migration.HostTscRate;
import kvmselftest.migration.RestoredClocks;
import kvmselftest.x86.PvclockPage;

/** A guest with some vCPUs that can be moved from one VM to another. Closing it closes its VM. */
final class MovingGuest implements AutoCloseable {
  /** How often each vCPU is asked for its clocks before and after a move. */
  private static final int SAMPLES = 4;

  private final ClockGuest guest;
  private final List<Vcpu> vcpus;

  private MovingGuest(ClockGuest guest, List<Vcpu> vcpus) {
    this.guest = guest;
    this.vcpus = vcpus;
  }

  /** A VM whose vCPUs have not run yet. */
  static MovingGuest create(Kvm kvm, int vcpus) {
    return create(kvm, vcpus, _ -> {});
  }

  /**
   * @param created what is done with each vCPU before the next one is created
   */
  static MovingGuest create(Kvm kvm, int count, Consumer<Vcpu> created) {
    ClockGuest guest = ClockGuest.load(kvm);
    List<Vcpu> vcpus = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      vcpus.add(guest.createVcpu(i));
      created.accept(vcpus.getLast());
    }
    return new MovingGuest(guest, List.copyOf(vcpus));
  }

  /** A guest that runs, its vCPUs' TSCs apart by so many ticks, with kvmclock. */
  static MovingGuest start(Kvm kvm, int vcpus, TscOffset offset, long apart) {
    return start(kvm, vcpus, offset, apart, 0);
  }

  /**
   * @param khz the rate of the vCPUs' TSCs, 0 for the host's
   */
  static MovingGuest start(Kvm kvm, int vcpus, TscOffset offset, long apart, long khz) {
    MovingGuest made = create(kvm, vcpus, vcpu -> setTscKhz(vcpu, khz));
    for (Vcpu vcpu : made.vcpus) {
      vcpu.setTscOffset(new TscOffset(offset.ticks() + vcpu.index() * apart));
    }
    made.vcpus.forEach(made.guest::enableKvmclock);
    made.run(); // the first ones ran before all had the same
    return made;
  }

  private static void setTscKhz(Vcpu vcpu, long khz) {
    vcpu.trySetTscKhz(khz)
        .ifPresent(
            errno -> {
              throw new IllegalStateException(
                  "KVM_SET_TSC_KHZ of %s to %d: %s".formatted(vcpu, khz, errno.name()));
            });
  }

  ClockGuest guest() {
    return guest;
  }

  List<Vcpu> vcpus() {
    return vcpus;
  }

  ClockData clock() {
    return guest.vm().getClock();
  }

  List<TscOffset> offsets() {
    return vcpus.stream().map(Vcpu::getTscOffset).toList();
  }

  List<PvclockPage> pages() {
    return vcpus.stream().map(guest::pvclockPage).toList();
  }

  /** KVM_RUN on each. */
  void run() {
    vcpus.forEach(guest::run);
  }

  /** What all vCPUs see, in turns. */
  List<Sample> samples() {
    List<Sample> samples = new ArrayList<>();
    for (int i = 0; i < SAMPLES; i++) {
      vcpus.forEach(vcpu -> samples.add(Sample.of(guest, vcpu)));
    }
    return samples;
  }

  /** Steps 1 to 3. */
  ClockSnapshot snapshot(HostTscRate host) {
    return ClockSnapshot.take(guest.vm(), vcpus, host);
  }

  /** Pauses the guest: its registers and its memory. */
  GuestState pause() {
    vcpus.forEach(Vcpu::completeIo); // or what is restored would be of an instruction half done
    return GuestState.of(guest.vm().memory(), vcpus);
  }

  /** Steps 4 to 7. */
  RestoredClocks restore(ClockSnapshot snapshot, Downtime downtime, HostTscRate host) {
    return new ClockRestore(guest.vm(), vcpus, host).restore(snapshot, downtime);
  }

  /** Gives a VM that has not run yet all of a guest, and lets it go on. */
  Arrival arrive(GuestState state, ClockSnapshot snapshot, Downtime downtime, HostTscRate host) {
    state.restore(guest.vm().memory(), vcpus);
    RestoredClocks restored = restore(snapshot, downtime, host);
    state.restorePvclock(vcpus);
    run();
    ClockData after = clock();
    List<PvclockPage> pages = pages();
    return new Arrival(restored, offsets(), after, pages, samples());
  }

  @Override
  public void close() {
    guest.close();
  }

  /** A source that is on its way: paused, and its clocks taken. */
  record Departure(
      List<Sample> samples, List<PvclockPage> pages, GuestState state, ClockSnapshot snapshot) {}

  /** The guest is looked at, paused, and its clocks are taken. */
  Departure depart(HostTscRate host) {
    List<Sample> samples = samples();
    List<PvclockPage> pages = pages();
    return new Departure(samples, pages, pause(), snapshot(host));
  }

  /**
   * A guest that has arrived.
   *
   * @param restored its clocks, as they were given
   * @param offsets as they are read back after each vCPU has run
   * @param clock KVM_GET_CLOCK at that time
   * @param pages at that time
   * @param samples what the guest saw after that
   */
  record Arrival(
      RestoredClocks restored,
      List<TscOffset> offsets,
      ClockData clock,
      List<PvclockPage> pages,
      List<Sample> samples) {
    ClockReading reading() {
      return restored.reading();
    }

    /** Both sides' samples of a vCPU. */
    Stream<Sample> samplesOf(int vcpu) {
      return samples.stream().filter(sample -> sample.vcpu() == vcpu);
    }
  }
}
