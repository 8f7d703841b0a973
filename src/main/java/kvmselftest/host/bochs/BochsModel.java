package kvmselftest.host.bochs;

/** Which of the CPUs that Bochs knows is emulated. Both have VMX, EPT and VPID. */
public enum BochsModel {
  /** With TSC scaling. */
  SKYLAKE_X("corei7_skylake_x"),
  /** Without. */
  HASWELL("corei7_haswell_4770");

  private final String word;

  BochsModel(String word) {
    this.word = word;
  }

  /** As Bochs's configuration names it. */
  String word() {
    return word;
  }
}
