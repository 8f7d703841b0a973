package kvmselftest.kvm;

import java.lang.foreign.MemorySegment;
import kvmselftest.bindings.kvm_regs;

/** {@code struct kvm_regs}: the general registers of a vCPU. */
public record Regs(
    long rax,
    long rbx,
    long rcx,
    long rdx,
    long rsi,
    long rdi,
    long rsp,
    long rbp,
    long r8,
    long r9,
    long r10,
    long r11,
    long r12,
    long r13,
    long r14,
    long r15,
    long rip,
    long rflags) {

  /** RFLAGS with nothing set but bit 1, which always is. */
  private static final long RFLAGS_RESET = 2;

  /** The registers with which a function begins that takes two arguments (System V x86-64 ABI). */
  public static Regs entry(long rip, long rsp, long rdi, long rsi) {
    return new Regs(0, 0, 0, 0, rsi, rdi, rsp, 0, 0, 0, 0, 0, 0, 0, 0, 0, rip, RFLAGS_RESET);
  }

  static Regs from(MemorySegment regs) {
    return new Regs(
        kvm_regs.rax(regs),
        kvm_regs.rbx(regs),
        kvm_regs.rcx(regs),
        kvm_regs.rdx(regs),
        kvm_regs.rsi(regs),
        kvm_regs.rdi(regs),
        kvm_regs.rsp(regs),
        kvm_regs.rbp(regs),
        kvm_regs.r8(regs),
        kvm_regs.r9(regs),
        kvm_regs.r10(regs),
        kvm_regs.r11(regs),
        kvm_regs.r12(regs),
        kvm_regs.r13(regs),
        kvm_regs.r14(regs),
        kvm_regs.r15(regs),
        kvm_regs.rip(regs),
        kvm_regs.rflags(regs));
  }

  void to(MemorySegment regs) {
    kvm_regs.rax(regs, rax);
    kvm_regs.rbx(regs, rbx);
    kvm_regs.rcx(regs, rcx);
    kvm_regs.rdx(regs, rdx);
    kvm_regs.rsi(regs, rsi);
    kvm_regs.rdi(regs, rdi);
    kvm_regs.rsp(regs, rsp);
    kvm_regs.rbp(regs, rbp);
    kvm_regs.r8(regs, r8);
    kvm_regs.r9(regs, r9);
    kvm_regs.r10(regs, r10);
    kvm_regs.r11(regs, r11);
    kvm_regs.r12(regs, r12);
    kvm_regs.r13(regs, r13);
    kvm_regs.r14(regs, r14);
    kvm_regs.r15(regs, r15);
    kvm_regs.rip(regs, rip);
    kvm_regs.rflags(regs, rflags);
  }

  /** All registers in hexadecimal, for the message of a failure. */
  @Override
  public String toString() {
    return ("rip %x rflags %x rsp %x rbp %x rax %x rbx %x rcx %x rdx %x rsi %x rdi %x"
            + " r8 %x r9 %x r10 %x r11 %x r12 %x r13 %x r14 %x r15 %x")
        .formatted(
            rip, rflags, rsp, rbp, rax, rbx, rcx, rdx, rsi, rdi, r8, r9, r10, r11, r12, r13, r14,
            r15);
  }
}
