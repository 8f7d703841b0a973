#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The KVM clock selftests as one test of a kselftest list. See docs/kselftest.md.
#
# Prints KTAP. Exit status: 0 passed, 4 skipped (KSFT_SKIP), 1 otherwise; kselftest's runner knows no other.
#
# KVM_CLOCK_SELFTESTS  the folder with run-selftests.sh, where this file is not inside of it
set -u

skip() {
  echo "KTAP version 1"
  echo "1..0 # SKIP $1"
  exit 4
}

fail() {
  echo "KTAP version 1"
  echo "Bail out! $1"
  exit 1
}

# This machine's KVM is what kselftest tests, so the emulated host is only used if it is asked for.
how=(--native)
for argument; do
  case $argument in
  --native | --emulated | --host | --host=* | --kernel | --kernel=* | --modules | --modules=* | --qemu | --qemu=* | --cpus | --cpus=* | --memory | --memory=* | --accel | --accel=* | --append | --append=*)
    how=()
    ;;
  esac
done

here=$(dirname "$(readlink -f "$0")")
suite=${KVM_CLOCK_SELFTESTS:-$here/..}
if [[ ! -x $suite/run-selftests.sh ]]; then
  [[ -z ${KVM_CLOCK_SELFTESTS-} ]] || fail "KVM_CLOCK_SELFTESTS is $suite, where there is no run-selftests.sh"
  skip "no run-selftests.sh beside $here: set KVM_CLOCK_SELFTESTS to the folder it is in"
fi

# The runner's timeout sends SIGTERM to the whole process group; the tests then say how far they got.
trap : INT TERM HUP
"$suite/run-selftests.sh" "${how[@]}" --ktap "$@"
status=$?
case $status in
0 | 4) exit "$status" ;;
64) fail "the options are wrong: $*" ;;
*) exit 1 ;;
esac
