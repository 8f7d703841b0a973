package kvmselftest.kvm;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Hears of every {@link ClockCall} of this process. Off, it costs the look at one field. */
public final class ClockTrace {
  private static volatile @Nullable Consumer<ClockCall> listener;

  private ClockTrace() {}

  /**
   * From now on.
   *
   * @param calls called by the threads that make the ioctls, after them
   */
  public static void start(Consumer<ClockCall> calls) {
    listener = calls;
  }

  /** No more. */
  public static void stop() {
    listener = null;
  }

  static boolean isOn() {
    return listener != null;
  }

  static void add(ClockCall call) {
    Consumer<ClockCall> calls = listener;
    if (calls != null) {
      calls.accept(call);
    }
  }
}
