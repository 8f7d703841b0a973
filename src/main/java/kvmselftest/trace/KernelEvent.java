package kvmselftest.trace;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An event of the kernel's, as tracefs shows it (arch/x86/kvm/trace.h).
 *
 * @param hostTsc when, ticks: the trace clock is x86-tsc
 * @param cpu on which
 * @param name such as {@code kvm_write_tsc_offset}
 * @param vcpu the vCPU's index; -1 where the event is of none
 * @param values those of them that the calls have as well, by the same names
 * @param text as the kernel has it
 */
record KernelEvent(
    long hostTsc, int cpu, String name, int vcpu, Map<String, Long> values, String text) {
  private static final Pattern LINE =
      Pattern.compile("\\s*.+-\\d+ +\\[(\\d+)\\](?: \\S+)? +(\\d+): (\\w+): (.*)");
  private static final Pattern VCPU = Pattern.compile("\\bvcpu(?:_id)?[= ](\\d+)");
  private static final Pattern OFFSET = Pattern.compile("\\bnext=(\\d+)");
  private static final Pattern TSC = Pattern.compile("\\btsc_timestamp 0x(\\p{XDigit}+)");
  private static final Pattern NANOS = Pattern.compile("\\bsystem_time 0x(\\p{XDigit}+)");

  /** Empty for a line of another kind, such as the header. */
  static Optional<KernelEvent> parse(String line) {
    Matcher match = LINE.matcher(line);
    if (!match.matches()) {
      return Optional.empty();
    }
    String text = match.group(4).strip();
    Map<String, Long> values = new LinkedHashMap<>();
    find(OFFSET, text, 10).ifPresent(offset -> values.put("offset", offset));
    find(TSC, text, 16).ifPresent(tsc -> values.put("tsc", tsc));
    find(NANOS, text, 16).ifPresent(nanos -> values.put("ns", nanos));
    return Optional.of(
        new KernelEvent(
            Long.parseUnsignedLong(match.group(2)),
            Integer.parseInt(match.group(1)),
            match.group(3),
            find(VCPU, text, 10).map(Math::toIntExact).orElse(-1),
            values,
            text));
  }

  private static Optional<Long> find(Pattern pattern, String text, int radix) {
    Matcher match = pattern.matcher(text);
    return match.find()
        ? Optional.of(Long.parseUnsignedLong(match.group(1), radix))
        : Optional.empty();
  }
}
