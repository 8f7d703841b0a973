#!/bin/bash
# A traced run on the emulated host: between the calls that write a TSC, the kernel's own events say the same.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v python3 >/dev/null || {
  echo "ci/check-trace.sh: no python3: apt-get install python3" >&2
  exit 1
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

./run-selftests.sh --emulated --failed-only --trace --report "$work/report" \
  --tests 'HostTscWriteTest,TscOffsetAttributeTest' >"$work/out" 2>&1 || {
  tail -n 20 "$work/out" >&2
  exit 1
}
python3 -B ci/read_trace.py "$work/report/trace.jsonl"
