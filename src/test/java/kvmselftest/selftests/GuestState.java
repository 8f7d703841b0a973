package kvmselftest.selftests;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import kvmselftest.kvm.GuestMemory;
import kvmselftest.kvm.Regs;
import kvmselftest.kvm.Vcpu;
import kvmselftest.x86.Msr;

/**
 * A paused guest but for its clocks: its memory's pages that are not all zeros, by address, and its
 * vCPUs' registers.
 */
record GuestState(SortedMap<Long, byte[]> pages, List<OfVcpu> vcpus) {
  private static final int PAGE_SIZE = 4096;
  private static final int REGISTERS = 18;
  private static final MemorySegment ZEROS = MemorySegment.ofArray(new byte[PAGE_SIZE]);

  /** The general registers, the special ones, and where the vCPU's pvclock page is. */
  record OfVcpu(Regs regs, MemorySegment sregs, long systemTime) {}

  static GuestState of(GuestMemory memory, List<Vcpu> vcpus) {
    SortedMap<Long, byte[]> pages = new TreeMap<>();
    for (long gpa = 0; gpa < memory.size(); gpa += PAGE_SIZE) {
      if (!isZero(memory, gpa)) {
        pages.put(gpa, memory.read(gpa, PAGE_SIZE));
      }
    }
    return new GuestState(
        pages,
        vcpus.stream()
            .map(
                vcpu ->
                    new OfVcpu(
                        vcpu.getRegs(), vcpu.getSregs(), vcpu.getMsr(Msr.KVM_SYSTEM_TIME_NEW)))
            .toList());
  }

  private static boolean isZero(GuestMemory memory, long gpa) {
    return memory.segment().asSlice(gpa, PAGE_SIZE).mismatch(ZEROS) < 0;
  }

  /** Memory and registers. */
  void restore(GuestMemory memory, List<Vcpu> to) {
    for (long gpa = 0; gpa < memory.size(); gpa += PAGE_SIZE) {
      if (!isZero(memory, gpa)) {
        memory.write(gpa, ZEROS.toArray(JAVA_BYTE));
      }
    }
    pages.forEach(memory::write);
    for (Vcpu vcpu : to) {
      OfVcpu state = vcpus.get(vcpu.index());
      vcpu.setSregs(state.sregs);
      vcpu.setRegs(state.regs);
    }
  }

  /** The MSR by which KVM knows where to write the vCPU's pvclock page. */
  void restorePvclock(List<Vcpu> to) {
    to.forEach(vcpu -> vcpu.setMsr(Msr.KVM_SYSTEM_TIME_NEW, vcpus.get(vcpu.index()).systemTime));
  }

  void write(DataOutputStream out) throws IOException {
    out.writeInt(pages.size());
    for (Map.Entry<Long, byte[]> page : pages.entrySet()) {
      out.writeLong(page.getKey());
      out.write(page.getValue());
    }
    out.writeInt(vcpus.size());
    for (OfVcpu vcpu : vcpus) {
      for (long register : values(vcpu.regs)) {
        out.writeLong(register);
      }
      byte[] sregs = vcpu.sregs.toArray(JAVA_BYTE);
      out.writeInt(sregs.length);
      out.write(sregs);
      out.writeLong(vcpu.systemTime);
    }
  }

  static GuestState read(DataInputStream in) throws IOException {
    SortedMap<Long, byte[]> pages = new TreeMap<>();
    for (int left = in.readInt(); left > 0; left--) {
      pages.put(in.readLong(), in.readNBytes(PAGE_SIZE));
    }
    List<OfVcpu> vcpus = new ArrayList<>();
    for (int left = in.readInt(); left > 0; left--) {
      long[] registers = new long[REGISTERS];
      for (int i = 0; i < REGISTERS; i++) {
        registers[i] = in.readLong();
      }
      byte[] sregs = in.readNBytes(in.readInt());
      MemorySegment copy = Arena.ofAuto().allocate(sregs.length, Long.BYTES);
      copy.copyFrom(MemorySegment.ofArray(sregs));
      vcpus.add(new OfVcpu(regs(registers), copy, in.readLong()));
    }
    return new GuestState(pages, vcpus);
  }

  private static long[] values(Regs regs) {
    return new long[] {
      regs.rax(), regs.rbx(), regs.rcx(), regs.rdx(), regs.rsi(), regs.rdi(),
      regs.rsp(), regs.rbp(), regs.r8(), regs.r9(), regs.r10(), regs.r11(),
      regs.r12(), regs.r13(), regs.r14(), regs.r15(), regs.rip(), regs.rflags()
    };
  }

  private static Regs regs(long[] r) {
    return new Regs(
        r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11], r[12], r[13],
        r[14], r[15], r[16], r[17]);
  }
}
