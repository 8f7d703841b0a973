#!/bin/bash
# Feeds KTAP to the kernel's own parser, tools/testing/kunit/kunit_parser.py, which has to count as the run itself
# does: samples that end in every way there is (left by mvn verify), a real run on the emulated host, and runs that
# were cut off.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
  echo "ci/check-ktap.sh: $*" >&2
  exit 1
}

command -v python3 >/dev/null || fail "no python3: apt-get install python3"
samples=target/ktap-samples
[[ -r $samples/whole && -r $samples/cut ]] || fail "no $samples: run mvn verify first"
tools=$(ci/kernel-tools.sh)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

# read_ktap FILE [cut]
read_ktap() {
  python3 -B ci/read_ktap.py "$tools/kunit" "$@"
}

echo "Samples:"
read_ktap "$samples/whole"

echo "Samples, one of which never ends:"
read_ktap "$samples/cut" cut

echo "A run on the emulated host:"
./run-selftests.sh --emulated --ktap --tests 'TscOffsetAttributeTest,TscKhzTest,FeaturesTest' --report "$work/report" \
  >"$work/ktap" 2>"$work/err" || fail "the run failed: $(tail -n 5 "$work/err")"
read_ktap "$work/ktap"
cmp "$work/ktap" "$work/report/results.ktap"
! grep -vE '^ *(KTAP version 1|1\.\.[0-9]+|(not )?ok [0-9]+ .*|#.*)$' "$work/ktap" ||
  fail "the lines above are no KTAP, and on standard output"

echo "The same without its end:"
awk '/^ok 2 / { exit }
  /^  ok .* # SKIP / { skipped++ }
  /^  ok / { ok++ }
  { print }
  END { printf "# Totals: pass:%d fail:0 xfail:0 xpass:0 skip:%d error:0\n", ok - skipped, skipped }' \
  "$work/ktap" >"$work/cut"
read_ktap "$work/cut" cut
