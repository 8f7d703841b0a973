#!/bin/bash
# Runs kselftest/kvm_clock_selftests.sh under the kernel's own run_kselftest.sh and runner.sh: on the emulated host,
# where it passes; natively, where it is skipped if this machine has no KVM; with a test that fails; and with too
# little time.
set -euo pipefail
cd "$(dirname "$0")/.."
suite=$PWD

fail() {
  echo "ci/check-kselftest.sh: $*" >&2
  exit 1
}

tools=$(ci/kernel-tools.sh)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

# As docs/kselftest.md has it.
cp -r "$tools/selftests/." "$work"
mkdir "$work/kvm_clock"
cp kselftest/kvm_clock_selftests.sh kselftest/settings "$work/kvm_clock"
echo kvm_clock:kvm_clock_selftests.sh >"$work/kselftest-list.txt"
./run-selftests.sh --list >/dev/null

# run EXPECTED_LAST_LINE [OPTION]...
run() {
  local expected=$1
  shift
  echo "options: $*"
  # Through a pipe: the runner opens its output once more, and in a file would write over itself.
  KVM_CLOCK_SELFTESTS=$suite KSELFTEST_KVM_CLOCK_SELFTESTS_SH_ARGS=$* \
    "$work/run_kselftest.sh" -c kvm_clock 2>"$work/err" | cat >"$work/out"
  tail -n 2 "$work/out"
  [[ $(tail -n 1 "$work/out") == "$expected" ]] ||
    fail "expected '$expected' after: $(tail -n 20 "$work/out" "$work/err")"
}

name='selftests: kvm_clock: kvm_clock_selftests.sh'
run "ok 1 $name" --emulated --tests TscOffsetAttributeTest
grep -q '^# ok 1 TscOffsetAttributeTest$' "$work/out" || fail "no KTAP in what the runner has passed on"
run "not ok 1 $name # exit=1" --emulated --tests no-such-test
run "not ok 1 $name # exit=1" --no-such-option
if [[ ! -e /dev/kvm ]]; then
  run "ok 1 $name # SKIP" --tests TscOffsetAttributeTest
fi
echo timeout=2 >"$work/kvm_clock/settings"
run "not ok 1 $name # TIMEOUT 2 seconds" --emulated --tests TscOffsetAttributeTest
