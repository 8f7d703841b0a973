package kvmselftest.guest;

import java.util.Arrays;
import java.util.List;
import kvmselftest.kvm.GuestMemory;
import kvmselftest.kvm.Vcpu;

/**
 * What a guest tells its host: upstream's ucall (tools/testing/selftests/kvm/include/ucall_common.h
 * and lib/x86/ucall.c). The guest half is guest-blobs/ucall.inc, with the same numbers.
 */
public sealed interface Ucall {
  /** The port that a guest reads to make a ucall; its RDI holds the address of the block. */
  int PORT = 0x1000;

  /** A command and seven arguments, bytes. */
  int BLOCK_SIZE = 64;

  long SYNC = 1;
  long ABORT = 2;
  long DONE = 4;
  long UNHANDLED = 5;

  /** The guest has come to a stage. Values it does not use are 0. */
  record Sync(long stage, List<Long> values) implements Ucall {
    /** The value with this number, from 0. */
    public long value(int number) {
      return values.get(number);
    }

    @Override
    public String toString() {
      return "SYNC stage " + stage + " " + values.stream().map("0x%x"::formatted).toList();
    }
  }

  /** The guest has nothing more to do. */
  record Done() implements Ucall {
    @Override
    public String toString() {
      return "DONE";
    }
  }

  /** The guest found something wrong: what, the value it saw and the one it expected. */
  record Abort(String message, long actual, long expected) implements Ucall {
    @Override
    public String toString() {
      return "ABORT: %s: 0x%x, expected 0x%x".formatted(message, actual, expected);
    }
  }

  /** An exception in the guest, which cannot go on (SDM volume 3, section 6.15). */
  record Unhandled(int vector, long errorCode, long rip, long cr2, long rsp) implements Ucall {
    private static final String[] NAMES = {
      "#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "9", "#TS", "#NP", "#SS",
      "#GP", "#PF", "15", "#MF", "#AC", "#MC", "#XM", "#VE", "#CP"
    };

    /** Such as {@code #PF}. */
    public String name() {
      return vector < NAMES.length ? NAMES[vector] : String.valueOf(vector);
    }

    @Override
    public String toString() {
      return "exception %s (vector %d), error code 0x%x, RIP 0x%x, CR2 0x%x, RSP 0x%x"
          .formatted(name(), vector, errorCode, rip, cr2, rsp);
    }
  }

  /**
   * The ucall with which the last {@link Vcpu#run()} ended. The vCPU can run on afterwards.
   *
   * @throws UnexpectedExitException if it ended with something else
   */
  static Ucall of(Vcpu vcpu) {
    if (!vcpu.kvmRun().isIn(PORT)) {
      throw new UnexpectedExitException(vcpu);
    }
    Ucall ucall = read(vcpu.vm().memory(), vcpu.getRdi());
    vcpu.completeIo();
    return ucall;
  }

  private static Ucall read(GuestMemory memory, long block) {
    if (block % Long.BYTES != 0 || !memory.holds(block, BLOCK_SIZE)) {
      throw new GuestFailedException(
          "a ucall's block at 0x%x, which is no memory".formatted(block));
    }
    long[] words = new long[BLOCK_SIZE / Long.BYTES];
    for (int i = 0; i < words.length; i++) {
      words[i] = memory.readLong(block + (long) i * Long.BYTES);
    }
    return of(memory, words);
  }

  private static Ucall of(GuestMemory memory, long[] words) {
    if (words[0] == SYNC) {
      return new Sync(words[1], List.of(words[2], words[3], words[4], words[5], words[6]));
    }
    if (words[0] == ABORT && memory.holds(words[1], 1)) {
      return new Abort(memory.readString(words[1]), words[2], words[3]);
    }
    if (words[0] == DONE) {
      return new Done();
    }
    if (words[0] == UNHANDLED) {
      return new Unhandled((int) words[1], words[2], words[3], words[4], words[5]);
    }
    throw new GuestFailedException(
        "not a ucall: " + Arrays.stream(words).mapToObj("0x%x"::formatted).toList());
  }

  /**
   * As {@link #of}, where nothing but a SYNC is right.
   *
   * @throws GuestFailedException if the guest says anything else
   */
  static Sync sync(Vcpu vcpu) {
    Ucall ucall = of(vcpu);
    if (ucall instanceof Sync sync) {
      return sync;
    }
    throw new GuestFailedException("%s: expected SYNC, got %s".formatted(vcpu, ucall));
  }

  /** As {@link #sync}, of this stage. */
  static Sync sync(Vcpu vcpu, long stage) {
    Sync sync = sync(vcpu);
    if (sync.stage != stage) {
      throw new GuestFailedException(
          "%s: expected SYNC of stage %d, got %s".formatted(vcpu, stage, sync));
    }
    return sync;
  }

  /** As {@link #sync}, for a DONE. */
  static void done(Vcpu vcpu) {
    Ucall ucall = of(vcpu);
    if (!(ucall instanceof Done)) {
      throw new GuestFailedException("%s: expected DONE, got %s".formatted(vcpu, ucall));
    }
  }
}
