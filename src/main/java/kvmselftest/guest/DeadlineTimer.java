package kvmselftest.guest;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import kvmselftest.guest.ClockGuest.MsrReading;
import kvmselftest.kvm.Vcpu;
import kvmselftest.x86.CounterWindow;
import kvmselftest.x86.Msr;

/**
 * A vCPU's local APIC timer in TSC-deadline mode, programmed by the guest through the x2APIC's MSRs
 * (SDM volume 3, sections 12.5.4 and 12.12). Interrupts stay off in the guest: the vector that the
 * timer raises stays in the interrupt request register, where the guest sees it, and no handler
 * lies in between. So each arming that is to be told apart from the last takes a {@link
 * #nextVector()}. The task's priority is above that of every vector, so that KVM has nothing to
 * deliver: else it would ask for an interrupt window at each entry, where QEMU 10.0 seems to lose
 * an interrupt of the host's (docs/emulated-host.md). For the thread that the vCPU belongs to.
 */
public final class DeadlineTimer {
  /** What the timer's mode can be, by the bits of {@link Msr#X2APIC_LVT_TIMER}. */
  public enum Mode {
    ONE_SHOT(0),
    PERIODIC(1L << 17),
    TSC_DEADLINE(2L << 17);

    private final long bits;

    Mode(long bits) {
      this.bits = bits;
    }
  }

  private static final long APIC_DEFAULT_BASE = 0xfee0_0000L;
  private static final long APIC_ENABLED = 1 << 11;
  private static final long X2APIC_ENABLED = 1 << 10;
  private static final long BOOT_VCPU = 1 << 8;

  /** Enabled, and the spurious interrupt's vector. */
  private static final long SPURIOUS = 1 << 8 | 0xff;

  /** Of the task, in x2APIC mode: above that of every vector. */
  private static final long HIGHEST_PRIORITY = 0xf0;

  /** The requests of vectors 32 to 255, 32 in each; those below 32 are the CPU's. */
  private static final List<Msr> REQUESTS =
      List.of(
          Msr.X2APIC_IRR1,
          Msr.X2APIC_IRR2,
          Msr.X2APIC_IRR3,
          Msr.X2APIC_IRR4,
          Msr.X2APIC_IRR5,
          Msr.X2APIC_IRR6,
          Msr.X2APIC_IRR7);

  private static final int FIRST_VECTOR = 32;

  /** The one below is the spurious interrupt's. */
  private static final int LAST_VECTOR = 254;

  /** Where the eight interrupt request registers are among all (SDM volume 3, table 12-1). */
  private static final long APIC_IRR = 0x200;

  private static final long APIC_REGISTER_SIZE = 0x10;

  private final ClockGuest guest;
  private final Vcpu vcpu;
  private int vector = FIRST_VECTOR - 1;

  private DeadlineTimer(ClockGuest guest, Vcpu vcpu) {
    this.guest = guest;
    this.vcpu = vcpu;
  }

  /**
   * The guest enables its local APIC, in x2APIC mode.
   *
   * @param vcpu one that was created after the VM's local APICs (KVM_CREATE_IRQCHIP)
   */
  public static DeadlineTimer enable(ClockGuest guest, Vcpu vcpu) {
    vcpu.setRunnable();
    long boot = vcpu.index() == 0 ? BOOT_VCPU : 0;
    guest.writeMsr(
        vcpu, Msr.IA32_APIC_BASE, APIC_DEFAULT_BASE | APIC_ENABLED | X2APIC_ENABLED | boot);
    guest.writeMsr(vcpu, Msr.X2APIC_SIVR, SPURIOUS);
    guest.writeMsr(vcpu, Msr.X2APIC_TPR, HIGHEST_PRIORITY);
    return new DeadlineTimer(guest, vcpu);
  }

  public Vcpu vcpu() {
    return vcpu;
  }

  /**
   * The timer is disarmed, and from now on raises a vector that it has not raised yet, in
   * TSC-deadline mode. Disarmed first, while it has the old vector: what expires around the change
   * would raise the new one. And in TSC-deadline mode, since in others a deadline is not taken.
   */
  public void nextVector() {
    setMode(Mode.TSC_DEADLINE);
    arm(0);
    changeVector();
  }

  /**
   * As {@link #nextVector}, but what is armed stays so: if it fires again, the new vector shows it.
   */
  public void changeVector() {
    if (vector == LAST_VECTOR) {
      forgetRequests();
      vector = FIRST_VECTOR - 1;
    }
    vector++;
    setMode(Mode.TSC_DEADLINE);
  }

  private void forgetRequests() {
    MemorySegment registers = vcpu.getLapic();
    for (int i = 0; i < 8; i++) {
      registers.set(ValueLayout.JAVA_INT, APIC_IRR + i * APIC_REGISTER_SIZE, 0);
    }
    vcpu.setLapic(registers);
  }

  /** The guest changes the timer's mode; the vector stays. */
  public void setMode(Mode mode) {
    guest.writeMsr(vcpu, Msr.X2APIC_LVT_TIMER, vector | mode.bits);
  }

  /**
   * The guest writes its deadline.
   *
   * @param deadline guest TSC; 0: none
   * @return the guest's TSC before and after
   */
  public CounterWindow arm(long deadline) {
    return guest.writeMsr(vcpu, Msr.IA32_TSC_DEADLINE, deadline);
  }

  /**
   * The guest starts the timer, in a mode that counts.
   *
   * @param ticks of the local APIC's own clock, 32 bits
   */
  public void startCount(long ticks) {
    guest.writeMsr(vcpu, Msr.X2APIC_INITIAL_COUNT, ticks);
  }

  /** What is left of the count, as the guest reads it: 32 bits, 0 when it is over. */
  public long count() {
    return guest.readMsr(vcpu, Msr.X2APIC_CURRENT_COUNT).value();
  }

  /** The deadline as the guest reads it. */
  public long deadline() {
    return guest.readMsr(vcpu, Msr.IA32_TSC_DEADLINE).value();
  }

  /** The guest's TSC, which the deadline is compared with. */
  public long now() {
    return guest.readTsc(vcpu).guestTsc();
  }

  /** The guest looks at the interrupt requests once. */
  public boolean hasFired() {
    return fired(guest.readMsr(vcpu, request()));
  }

  /**
   * The guest looks at the interrupt requests until the timer has fired, or the time is up.
   *
   * @param ticks how long, of the guest's TSC
   */
  public Firing await(long ticks) {
    MsrReading last = guest.pollMsr(vcpu, request(), bit(), ticks);
    return new Firing(fired(last), last.guestTsc());
  }

  /**
   * Whether the timer has fired.
   *
   * @param lastLook the guest's TSC before and after it last looked, when it either saw that it had
   *     or gave up
   */
  public record Firing(boolean fired, CounterWindow lastLook) {}

  private Msr request() {
    return REQUESTS.get(vector / 32 - 1);
  }

  private long bit() {
    return 1L << vector % 32;
  }

  private boolean fired(MsrReading requests) {
    return (requests.value() & bit()) != 0;
  }

  @Override
  public String toString() {
    return "timer of %s, vector %d".formatted(vcpu, vector);
  }
}
