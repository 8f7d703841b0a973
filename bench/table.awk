# Makes bench/run.sh's table of what the programs printed.

function note(key, value) { values[key, ++count[key]] = value }

function sorted(key, from,    n, i, j, v) {
  n = 0
  for (i = from + 1; i <= count[key]; i++) {
    v = values[key, i]
    for (j = n++; j > 0 && s[j] > v; j--) s[j + 1] = s[j]
    s[j + 1] = v
  }
  return n
}

function median_from(key, from,    n) {
  n = sorted(key, from)
  return n == 0 ? "-" : n % 2 ? s[(n + 1) / 2] : (s[n / 2] + s[n / 2 + 1]) / 2
}

function median(key) { return median_from(key, 0) }

function show(number,    text, out) {
  if (number == "-") return number
  text = sprintf("%.0f", number)
  out = ""
  while (length(text) > 3) {
    out = "," substr(text, length(text) - 2) out
    text = substr(text, 1, length(text) - 3)
  }
  return text out
}

function width_of(line) { sub(/.*\[/, "", line); sub(/\].*/, "", line); split(line, ends, ", "); return ends[2] - ends[1] }

function cold(side, what, first, width) { note(side " " what (first ? " first" : " later"), width) }

function words_median(text,    list, n, i) {
  n = split(text, list, " ")
  delete count["words"]
  for (i = 1; i <= n; i++) note("words", list[i] + 0)
  return median("words")
}

function row(what, c, java, reach) { printf "| %s | %s | %s | %s |\n", what, c, java, reach }

function bracket_row(what, unit, stage, kind) {
  row(what ", " unit, show(median("C " kind stage)), show(median("java " kind stage)), sprintf("%.2f of C's", median("java " kind stage) / median("C " kind stage)))
}

function trips_row(what, key, side,    warm) {
  warm = int(count[side " " key] * 2 / 5)
  row(what, show(median_from(side " C " key, warm)), show(median_from(side " " key, warm)), sprintf("%.2f of C's", median_from(side " ratio " key, warm)))
}

/^# kernel / { kernel = $3; sub(/,$/, "", kernel) }
FILENAME ~ /measure/ && /^# booted/ { kernel = $4 }
FILENAME ~ /measure/ && /^system counter value/ { tsc_nth++; cold("C", "tsc", tsc_nth % 3 == 1, width_of($0)) }
FILENAME ~ /measure/ && /^kvm-clock value/ { clock_nth++; cold("C", "kvmclock", clock_nth % 4 == 1, width_of($0)) }

# The suite's lines: a test's name, then what it observed. A process begins with case [1] of the fresh vCPUs; the first
# KVM_RUNs of its other vCPUs are neither the process's first nor later ones, and have no like in C: left out.
FILENAME ~ /measure/ && /^ok .*guestTscFollowsOffset/ {
  kind = /Fresh.*\[1\]/ || /Live.*\[[23]\]/ ? "tsc" : ""
  first = /Fresh/
}
FILENAME ~ /measure/ && /^ok .*guestReadsKvmclock/ { kind = "kvmclock"; first = /\[1\]/ }
FILENAME ~ /measure/ && /^ +vCPU .*width [0-9]/ && kind { w = $0; sub(/.*width /, "", w); cold("java", kind, first, w + 0); kind = "" }

# kvm_bench and Benchmark in turns: C's line, then Java's.
$1 == "C" { last = $4; last_median = $5 }
$1 ~ /^java(C1|C2)$/ {
  if ($2 == "run" || $2 == "ucall") {
    note($1 " " $2, $4); note($1 " C " $2, last); note($1 " ratio " $2, $4 / last)
  } else {
    note($1 " " $2, $5); note($1 " C " $2, last_median); note($1 " ratio " $2, $5 / last_median)
  }
}

FILENAME ~ /memory/ && /^peak kvmselftest/ { jvm = $3 }
FILENAME ~ /memory/ && /^peak QEMU/ { qemu = $3 }
/^MemTotal:/ { total = $2 }
/^MemAvailable:/ { if (!least || $2 < least) least = $2 }

END {
  printf "%s, Linux %s in QEMU (TCG), on %s; medians.\n\n", date, kernel, cpu
  print "| what | C | Java | Java against C |"
  print "| --- | ---: | ---: | --- |"
  trips_row("KVM_RUN round trips a second, JVM as in the suite (C1)", "run", "javaC1")
  trips_row("the same with the ucall decoded", "ucall", "javaC1")
  trips_row("KVM_RUN round trips a second, JVM with C2", "run", "javaC2")
  trips_row("the same with the ucall decoded", "ucall", "javaC2")
  bracket_row("bracket around RDTSC, a process's first KVM_RUN", "ticks", " first", "tsc")
  bracket_row("bracket around RDTSC, later", "ticks", " later", "tsc")
  bracket_row("bracket around kvmclock, a process's first KVM_RUN", "ns", " first", "kvmclock")
  bracket_row("bracket around kvmclock, later", "ns", " later", "kvmclock")
  trips_row("bracket around RDTSC, median of 100 in a row, ticks", "tsc", "javaC1")
  trips_row("bracket around kvmclock, median of 100 in a row, ns", "kvmclock", "javaC1")
  ms = words_median(suite); mc = words_median(c)
  row("whole run with warm caches, s", sprintf("%.1f", mc), sprintf("%.1f", ms), sprintf("%.1f times C's", ms / mc))
  row("peak memory of the JVM in the host, MiB", "", sprintf("%.0f", jvm / 1024), "")
  row("peak memory in use in the host of 1 GiB, MiB", "", sprintf("%.0f", (total - least) / 1024), sprintf("%.0f MiB left", least / 1024))
  row("peak memory of QEMU, MiB", "", sprintf("%.0f", qemu / 1024), "")
  printf "\nBrackets of %d (C) and %d (Java) runs of upstream's tests and the suite's; round trips of %d rounds of 500, in turns, without the %d first ones; whole runs: %d each, through the same launcher.\n",
    count["C tsc first"], count["java kvmclock first"], count["javaC1 run"], int(count["javaC1 run"] * 2 / 5), split(suite, list, " ")
}
