package kvmselftest.bench;

import static java.lang.ProcessBuilder.Redirect.INHERIT;
import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.stream.LongStream;
import kvmselftest.guest.Guest;
import kvmselftest.guest.GuestBlob;
import kvmselftest.guest.Ucall;
import kvmselftest.kvm.ClockData;
import kvmselftest.kvm.Kvm;
import kvmselftest.kvm.TscOffset;
import kvmselftest.kvm.Vcpu;
import kvmselftest.x86.CounterWindow;

/**
 * What the selftests do, many times and timed; step for step what bench/kvm_bench.c does, with the
 * same guests, in turns with that program. It goes through the classes that the selftests go
 * through, as they do.
 *
 * <p>Arguments: a name for the Java side, the command line of kvm_bench in one word, the number of
 * rounds, and what to do in each: words of a measurement, a colon and a count, such as {@code
 * run:500}.
 *
 * <ul>
 *   <li>{@code run}: KVM_RUN round trips, the kind of exit checked and nothing else
 *   <li>{@code ucall}: the same with each ucall decoded, which takes two more ioctls
 *   <li>{@code tsc}: brackets around a guest's RDTSC, in ticks of the host's TSC
 *   <li>{@code kvmclock}: brackets around a guest's kvmclock, in ns of KVM_GET_CLOCK
 * </ul>
 *
 * <p>Each measurement makes a line: the side's name, measurement, count, then round trips a second,
 * or the first bracket's width, the median and the least. It lives among the tests because the
 * emulated host gets their jar, and nobody else needs it.
 */
final class Benchmark {
  private final Kvm kvm;

  private Benchmark(Kvm kvm) {
    this.kvm = kvm;
  }

  /** One bracket: how far the counter outside came while the guest read the one inside. */
  @FunctionalInterface
  private interface Bracket {
    long width();
  }

  public static void main(String[] args) throws IOException {
    String side = args[0];
    Process c = new ProcessBuilder(args[1].split(" ")).redirectError(INHERIT).start();
    try (Kvm kvm = Kvm.open();
        BufferedWriter toC = c.outputWriter(US_ASCII);
        BufferedReader fromC = c.inputReader(US_ASCII)) {
      Benchmark benchmark = new Benchmark(kvm);
      for (int round = 0; round < Integer.parseInt(args[2]); round++) {
        for (String item : List.of(args).subList(3, args.length)) {
          String what = item.replace(':', ' ');
          toC.write(what + "\n");
          toC.flush();
          System.out.println(Objects.requireNonNull(fromC.readLine(), "kvm_bench has ended"));
          System.out.println(side + " " + what + " " + benchmark.measure(item.split(":")));
        }
      }
    }
  }

  private String measure(String[] item) {
    int count = Integer.parseInt(item[1]);
    return switch (item[0]) {
      case "run" -> roundTrips(count, Benchmark::requireUcall);
      case "ucall" -> roundTrips(count, Ucall::sync);
      case "tsc" -> tscBrackets(count);
      case "kvmclock" -> kvmclockBrackets(count);
      default -> throw new IllegalArgumentException("not a measurement: " + item[0]);
    };
  }

  private static void requireUcall(Vcpu vcpu) {
    if (!vcpu.kvmRun().isIn(Ucall.PORT)) {
      throw new IllegalStateException("exit: " + vcpu.kvmRun().describeExit());
    }
  }

  /** What to do after each KVM_RUN. */
  @FunctionalInterface
  private interface AfterRun {
    void look(Vcpu vcpu);
  }

  private static void roundTrip(Vcpu vcpu, AfterRun afterRun) {
    vcpu.run();
    afterRun.look(vcpu);
  }

  /**
   * A vCPU's first KVM_RUN takes a hundred times as long as others: it is in the brackets, not in
   * here.
   */
  private String roundTrips(int count, AfterRun afterRun) {
    try (Guest guest = Guest.load(kvm, GuestBlob.named("system_counter_offset_test"))) {
      Vcpu vcpu = guest.createVcpu(0, 0);
      roundTrip(vcpu, afterRun);
      long begin = System.nanoTime();
      for (int i = 0; i < count; i++) {
        roundTrip(vcpu, afterRun);
      }
      long nanos = System.nanoTime() - begin;
      return String.valueOf(Math.round(count * 1e9 / nanos));
    }
  }

  private String tscBrackets(int count) {
    try (Guest guest = Guest.load(kvm, GuestBlob.named("system_counter_offset_test"))) {
      Vcpu vcpu = guest.createVcpu(0, 0);
      vcpu.setTscOffset(new TscOffset(0));
      return widths(count, () -> widthAround(vcpu, vcpu.runBetweenHostTscs()));
    }
  }

  private String kvmclockBrackets(int count) {
    try (Guest guest = Guest.load(kvm, GuestBlob.named("kvm_clock_test"))) {
      Vcpu vcpu = guest.createVcpu(0, Guest.pvclockGpa(0));
      guest.vm().setClock(ClockData.ofClock(0));
      return widths(count, () -> widthAround(vcpu, vcpu.runBetweenGetClocks().clock()));
    }
  }

  private static long widthAround(Vcpu vcpu, CounterWindow window) {
    long observed = Ucall.sync(vcpu).value(0);
    if (!window.contains(observed)) {
      throw new IllegalStateException(observed + " is not in " + window);
    }
    return window.width();
  }

  private static String widths(int count, Bracket bracket) {
    long[] widths = new long[count];
    for (int i = 0; i < count; i++) {
      widths[i] = bracket.width();
    }
    long first = widths[0];
    long[] sorted = LongStream.of(widths).sorted().toArray();
    long median = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
    return first + " " + median + " " + sorted[0];
  }
}
