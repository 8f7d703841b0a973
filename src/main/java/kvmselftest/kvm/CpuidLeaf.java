package kvmselftest.kvm;

/** What the CPUID instruction answers to one function and index: its four registers. */
public record CpuidLeaf(int eax, int ebx, int ecx, int edx) {
  @Override
  public String toString() {
    return "EAX 0x%08x EBX 0x%08x ECX 0x%08x EDX 0x%08x".formatted(eax, ebx, ecx, edx);
  }
}
