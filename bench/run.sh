#!/bin/bash
# The benchmark: the suite side by side with C in boots of the emulated KVM host. Prints a table in Markdown.
#
#   bench/run.sh [ROUNDS]
#
# C is upstream's own tests (bench/upstream.sh) and bench/kvm_bench.c. Takes some six minutes with the default of 5
# rounds; the machine had better be quiet. Everything that was printed is kept in target/bench.
set -euo pipefail

root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
rounds=${1:-5}
out=$root/target/bench

fail() {
  echo "bench/run.sh: $*" >&2
  exit 1
}

[[ $rounds =~ ^[1-9][0-9]*$ ]] || fail "usage: bench/run.sh [ROUNDS]"
for tool in mvn gcc awk; do
  command -v "$tool" >/dev/null || fail "no $tool: install it"
done

upstream=$("$root/bench/upstream.sh")
"$root/run-selftests.sh" --version >/dev/null # builds what has changed
mkdir -p "$out"
gcc -O2 -Wall -Wextra -Werror -static -o "$out/kvm_bench" "$root/bench/kvm_bench.c"

# The JDK that the build finds. Maven itself is left out of what is timed.
jdk=$(mvn -q -f "$root/pom.xml" validate org.codehaus.mojo:exec-maven-plugin:exec -Dexec.executable=java \
  -Dexec.args="-XshowSettings:properties -version" 2>&1 | awk '$1 == "java.home" { print $3 }')
[[ -x $jdk/bin/java ]] || fail "the build finds no JDK 25"

# emulated WHAT: boots the emulated host with that.
emulated() {
  mkdir -p "$out/$1"
  (cd "$out/$1" && "$jdk/bin/java" -XX:+UseSerialGC --enable-native-access=ALL-UNNAMED \
    --sun-misc-unsafe-memory-access=allow \
    -cp "$root/target/kvm-clock-selftests-0.1.0.jar:$root/target/kvm-clock-selftests-0.1.0-tests.jar:$root/target/lib/*" \
    kvmselftest.bench.EmulatedBenchmark "$1" "$upstream" "$out/kvm_bench" "$root/guest-blobs/bin" "$rounds")
}

# seconds COMMAND...: how long it takes, s.
seconds() {
  local begin=$EPOCHREALTIME
  "$@" >"$out/$1.log" 2>&1 || fail "$* failed: see $out/$1.log"
  awk -v begin="$begin" -v end="$EPOCHREALTIME" 'BEGIN { printf "%.1f", end - begin }'
}

suite() {
  "$root/run-selftests.sh" --emulated
}

echo "bench/run.sh: $rounds rounds side by side in one boot" >&2
emulated measure >"$out/measure.log" || fail "a program failed in the emulated host: see $out/measure.log"

echo "bench/run.sh: whole runs" >&2
suite >"$out/suite.log" 2>&1 || fail "the suite failed: see $out/suite.log" # warms the caches
suite_times=() c_times=()
for _ in 1 2 3; do
  suite_times+=("$(seconds suite)")
  c_times+=("$(seconds emulated c)")
done

echo "bench/run.sh: memory" >&2
emulated memory >"$out/memory.log" || fail "the suite failed: see $out/memory.log"

awk -f "$root/bench/table.awk" -v date="$(date +%F)" -v suite="${suite_times[*]}" -v c="${c_times[*]}" \
  -v cpu="$(awk -F': ' '/^model name/ { print $2; exit }' /proc/cpuinfo)" \
  "$out/measure.log" "$out/memory.log" "$out/memory/meminfo"
