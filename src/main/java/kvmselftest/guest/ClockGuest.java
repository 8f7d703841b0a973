package kvmselftest.guest;

import java.lang.foreign.MemorySegment;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.Vcpu;
import kvmselftest.kvm.VendorModule;
import kvmselftest.kvm.Vm;
import kvmselftest.x86.ClockPairing;
import kvmselftest.x86.ClockStream;
import kvmselftest.x86.CounterWindow;
import kvmselftest.x86.ErrorBounds;
import kvmselftest.x86.LongMode;
import kvmselftest.x86.Msr;
import kvmselftest.x86.PvclockPage;

/**
 * A guest that does one thing with its clocks at each KVM_RUN, the one that it is told
 * (guest-blobs/clock_guest.s), so that a test reads as its scenario. Each method is for the thread
 * that the vCPU belongs to. Closing it closes the VM.
 *
 * <p>What it shares with its host, in pages from {@link Guest#SHARED} on: a mailbox for each vCPU,
 * a clock stream's block for each, a line for each, a line of the host's.
 */
public final class ClockGuest implements AutoCloseable {
  private static final long NOTHING = 0;
  private static final long READ_TSC = 1;
  private static final long READ_KVMCLOCK = 2;
  private static final long READ_MSR = 3;
  private static final long WRITE_MSR = 4;
  private static final long STREAM = 5;
  private static final long POLL_MSR = 6;
  private static final long SAMPLE_MSR = 7;
  private static final long PAIR_CLOCKS = 8;

  private static final long MAILBOXES = Guest.SHARED;
  private static final long MAILBOX_SIZE = 64;
  private static final long BLOCKS = Guest.SHARED + 0x1000;
  private static final long LINES = Guest.SHARED + 0x2000;

  /** After how many values of the other side's clock the guest exits, in a clock stream. */
  private static final long EXITS = 32;

  /**
   * The GPA of memory that nothing uses, up to the end, with a page before it that nothing uses
   * either: for what a test has KVM write.
   */
  public static final long SPARE_PAGE = Guest.SHARED + 0xf_0000;

  /** In KVM's MSRs that take an address: it is enabled. */
  private static final long ENABLED = 1;

  private final Guest guest;

  private ClockGuest(Guest guest) {
    this.guest = guest;
  }

  /** Creates a VM with this guest in its memory. */
  public static ClockGuest load(Kvm kvm) {
    return new ClockGuest(Guest.load(kvm, GuestBlob.named("clock_guest")));
  }

  public Vm vm() {
    return guest.vm();
  }

  /**
   * Creates a vCPU, which belongs to the calling thread.
   *
   * @param index from 0 to {@link LongMode#MAX_VCPUS} - 1
   */
  public Vcpu createVcpu(int index) {
    return guest.createVcpu(index, mailbox(index));
  }

  private static long mailbox(int vcpu) {
    return MAILBOXES + vcpu * MAILBOX_SIZE;
  }

  /** A reading of the guest's TSC, and the host's TSC before and after that KVM_RUN. */
  public record TscReading(long guestTsc, CounterWindow hostTsc) {}

  /** kvmclock as the guest computes it, ns, the guest's TSC that it took, and the page's flags. */
  public record KvmclockReading(long nanos, long guestTsc, int flags, CounterWindow hostTsc) {}

  /** What an MSR held, and the guest's TSC before and after it was read. */
  public record MsrReading(long value, CounterWindow guestTsc) {}

  /** What a hypercall returned, negative for an error, and the guest's TSC before and after. */
  public record HypercallResult(long value, CounterWindow guestTsc) {}

  /** KVM_RUN, in which the guest does nothing: KVM serves what it has put off until then. */
  public void run(Vcpu vcpu) {
    call(vcpu, NOTHING, 0, 0, 0);
  }

  /** The guest executes RDTSC. */
  public TscReading readTsc(Vcpu vcpu) {
    Called called = call(vcpu, READ_TSC, 0, 0, 0);
    return new TscReading(called.sync.value(0), called.hostTsc);
  }

  /** The guest writes MSR_KVM_SYSTEM_TIME_NEW: its pvclock page is the vCPU's own. */
  public void enableKvmclock(Vcpu vcpu) {
    enableKvmclock(vcpu, Guest.pvclockGpa(vcpu.index()));
  }

  /** As {@link #enableKvmclock(Vcpu)}, with the structure at an address that is a multiple of 4. */
  public void enableKvmclock(Vcpu vcpu, long gpa) {
    writeMsr(vcpu, Msr.KVM_SYSTEM_TIME_NEW, gpa | ENABLED);
  }

  /** The guest evaluates its pvclock page; kvmclock is to be enabled. */
  public KvmclockReading readKvmclock(Vcpu vcpu) {
    return readKvmclock(vcpu, Guest.pvclockGpa(vcpu.index()));
  }

  /** As {@link #readKvmclock(Vcpu)}, with the structure at an address of one's own. */
  public KvmclockReading readKvmclock(Vcpu vcpu, long gpa) {
    Called called = call(vcpu, READ_KVMCLOCK, gpa, 0, 0);
    return new KvmclockReading(
        called.sync.value(0), called.sync.value(1), (int) called.sync.value(2), called.hostTsc);
  }

  /** What KVM has written into the vCPU's pvclock page; it must not be running. */
  public PvclockPage pvclockPage(Vcpu vcpu) {
    return pvclockPage(vcpu.index());
  }

  /** As {@link #pvclockPage(Vcpu)}, by the vCPU's index. Any thread. */
  public PvclockPage pvclockPage(int vcpu) {
    return pvclockPageAt(Guest.pvclockGpa(vcpu));
  }

  /** Where the pvclock page at this address is in the host's memory. */
  MemorySegment pvclockMemory(long gpa) {
    return at(gpa, PvclockPage.SIZE);
  }

  /** As {@link #pvclockPage(Vcpu)}, by the structure's address, a multiple of 4. Any thread. */
  public PvclockPage pvclockPageAt(long gpa) {
    return PvclockPage.read(pvclockMemory(gpa));
  }

  /**
   * The guest executes RDMSR.
   *
   * @throws GuestFailedException if that is a general protection fault
   */
  public MsrReading readMsr(Vcpu vcpu, Msr msr) {
    return msrReading(call(vcpu, READ_MSR, msr.index(), 0, 0));
  }

  /**
   * The guest executes RDMSR again and again until the MSR has one of these bits, or the time is
   * up.
   *
   * @param ticks how long, of the guest's TSC
   * @return the last reading
   */
  public MsrReading pollMsr(Vcpu vcpu, Msr msr, long mask, long ticks) {
    return msrReading(call(vcpu, POLL_MSR, msr.index(), mask, ticks));
  }

  /**
   * The guest executes RDTSC, RDMSR and RDTSC in a row, many times: none of the JVM's work and no
   * exit to it lies in between.
   *
   * @param msr one that counts as the TSC does
   * @return how far it is from the TSC, ticks
   */
  public ErrorBounds sampleMsr(Vcpu vcpu, Msr msr, long count) {
    Ucall.Sync sync = call(vcpu, SAMPLE_MSR, msr.index(), count, 0).sync;
    ErrorBounds bounds = new ErrorBounds("ticks");
    bounds.add(sync.value(0), sync.value(1), count);
    return bounds;
  }

  private static MsrReading msrReading(Called called) {
    Ucall.Sync sync = called.sync;
    return new MsrReading(sync.value(0), new CounterWindow(sync.value(1), sync.value(2)));
  }

  /**
   * The guest executes WRMSR.
   *
   * @return the guest's TSC before and after
   * @throws GuestFailedException if that is a general protection fault
   */
  public CounterWindow writeMsr(Vcpu vcpu, Msr msr, long value) {
    Ucall.Sync sync = call(vcpu, WRITE_MSR, msr.index(), value, 0).sync;
    return new CounterWindow(sync.value(0), sync.value(1));
  }

  /**
   * The guest asks KVM by a hypercall for a wall clock and its own TSC of one moment
   * (Documentation/virt/kvm/x86/hypercalls.rst, KVM_HC_CLOCK_PAIRING).
   *
   * @param gpa where KVM is to write them, {@link ClockPairing#SIZE} bytes
   * @param clock which clock: {@link ClockPairing#WALL_CLOCK}, or one that KVM does not have
   */
  public HypercallResult pairClocks(Vcpu vcpu, long gpa, long clock) {
    Ucall.Sync sync = call(vcpu, PAIR_CLOCKS, gpa, clock, VendorModule.isIntel() ? 1 : 0).sync;
    return new HypercallResult(sync.value(0), new CounterWindow(sync.value(1), sync.value(2)));
  }

  /** What KVM has written there. Any thread. */
  public ClockPairing clockPairingAt(long gpa) {
    return ClockPairing.read(at(gpa, ClockPairing.SIZE));
  }

  /**
   * The guest runs its side of a clock stream, which {@link #streamSide} described.
   *
   * <p>It ends when the other side does, or when its own time is up.
   */
  public void stream(Vcpu vcpu) {
    call(vcpu, STREAM, block(vcpu.index()), 0, 0);
  }

  private static long block(int vcpu) {
    return BLOCKS + (long) vcpu * ClockStream.BLOCK_SIZE;
  }

  /**
   * Describes a vCPU's side of a clock stream, in guest memory.
   *
   * @param other index of the vCPU that has the other side, or -1 for the host
   * @param kvmclock true: the clock is kvmclock, by the vCPU's page; false: its TSC
   */
  ClockStream streamSide(
      int vcpu, int other, boolean kvmclock, long ahead, long ticks, long enough) {
    MemorySegment memory = at(block(vcpu), ClockStream.BLOCK_SIZE);
    long pvclock = kvmclock ? Guest.pvclockGpa(vcpu) : 0;
    return new ClockStream(memory, line(vcpu), line(other), pvclock, ahead, ticks, enough)
        .withExits(EXITS);
  }

  /** Where a vCPU, or the host (-1), writes its clock. */
  private static long line(int vcpu) {
    return LINES + (vcpu + 1L) * ClockStream.LINE_SIZE;
  }

  /** The line of a vCPU, or of the host (-1). */
  MemorySegment lineOf(int vcpu) {
    return at(line(vcpu), ClockStream.LINE_SIZE);
  }

  private MemorySegment at(long gpa, long size) {
    return vm().memory().segment().asSlice(gpa, size);
  }

  private record Called(Ucall.Sync sync, CounterWindow hostTsc) {}

  private Called call(Vcpu vcpu, long command, long... arguments) {
    long mailbox = mailbox(vcpu.index());
    vm().memory().writeLong(mailbox, command);
    for (int i = 0; i < arguments.length; i++) {
      vm().memory().writeLong(mailbox + (i + 1L) * Long.BYTES, arguments[i]);
    }
    CounterWindow hostTsc = vcpu.runBetweenHostTscs();
    return new Called(Ucall.sync(vcpu), hostTsc);
  }

  @Override
  public void close() {
    guest.close();
  }
}
