package kvmselftest.kvm;

import java.lang.foreign.MemorySegment;
import kvmselftest.bindings.kvm_dtable;
import kvmselftest.bindings.kvm_segment;
import kvmselftest.bindings.kvm_sregs;
import kvmselftest.x86.DescriptorTable;
import kvmselftest.x86.LongMode;
import kvmselftest.x86.Segment;

/** Fills {@code struct kvm_sregs}, the special registers of a vCPU. */
final class Sregs {
  private Sregs() {}

  /** Changes what long mode needs and leaves the rest as it came from KVM_GET_SREGS. */
  static void enter(LongMode longMode, MemorySegment sregs) {
    segment(kvm_sregs.cs(sregs), longMode.code());
    segment(kvm_sregs.ds(sregs), longMode.data());
    segment(kvm_sregs.es(sregs), longMode.data());
    segment(kvm_sregs.fs(sregs), longMode.data());
    segment(kvm_sregs.gs(sregs), longMode.data());
    segment(kvm_sregs.ss(sregs), longMode.data());
    segment(kvm_sregs.tr(sregs), longMode.task());
    table(kvm_sregs.gdt(sregs), longMode.gdt());
    table(kvm_sregs.idt(sregs), longMode.idt());
    kvm_sregs.cr0(sregs, LongMode.CR0);
    kvm_sregs.cr3(sregs, longMode.cr3());
    kvm_sregs.cr4(sregs, LongMode.CR4);
    kvm_sregs.efer(sregs, LongMode.EFER);
  }

  private static void segment(MemorySegment to, Segment segment) {
    kvm_segment.base(to, segment.base());
    kvm_segment.limit(to, segment.limit());
    kvm_segment.selector(to, (short) segment.selector());
    kvm_segment.type(to, (byte) segment.type());
    kvm_segment.present(to, (byte) 1);
    kvm_segment.dpl(to, (byte) 0);
    kvm_segment.db(to, bit(!segment.system() && !segment.longMode()));
    kvm_segment.s(to, bit(!segment.system()));
    kvm_segment.l(to, bit(segment.longMode()));
    kvm_segment.g(to, bit(!segment.system()));
    kvm_segment.unusable(to, (byte) 0);
  }

  private static byte bit(boolean set) {
    return (byte) (set ? 1 : 0);
  }

  private static void table(MemorySegment to, DescriptorTable table) {
    kvm_dtable.base(to, table.base());
    kvm_dtable.limit(to, (short) table.limit());
  }

  /** The control registers in hexadecimal, for the message of a failure. */
  static String describe(MemorySegment sregs) {
    return "cr0 %x cr2 %x cr3 %x cr4 %x efer %x cs %x"
        .formatted(
            kvm_sregs.cr0(sregs),
            kvm_sregs.cr2(sregs),
            kvm_sregs.cr3(sregs),
            kvm_sregs.cr4(sregs),
            kvm_sregs.efer(sregs),
            kvm_segment.selector(kvm_sregs.cs(sregs)));
  }
}
